import { beforeAll, describe, expect, it } from 'vitest';
import {
  connectPeel,
  type ConnectPeelOptions,
  type ZesterConnection,
} from '../../../src/connection/connect.js';
import { atEnd } from '../../support/cleanup.js';
import { noCluster } from '../../support/nats-servers.js';
import { startCluster } from '../../support/cluster.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { waitFor } from '../../support/wait-for.js';
import { collect, replaceByRename } from './support.js';

/** Longer than any test. */
const FOREVER_MS = 24 * 3_600_000;

let server: OperatorServer;
beforeAll(async () => {
  server = await startOperatorServer();
});

async function connected(
  options: Partial<ConnectPeelOptions> & { credsPath: string },
): Promise<{ nc: ZesterConnection; came: (type: string) => Promise<unknown> }> {
  const nc = await connectPeel({ servers: server.url, peelId: 'web-01', ...options });
  atEnd(() => nc.close());
  const statuses = collect(nc.status());
  return { nc, came: (type) => waitFor(type, () => statuses.some((status) => status.type === type)) };
}

describe('the window of reconnects', () => {
  it('reconnects a peel when its server returns', async () => {
    const { nc, came } = await connected({ credsPath: await server.user('web-01'), reconnectWindowMs: 50 });
    await server.restart();
    await came('reconnect');
    await nc.flush();
  });

  it('is not waited for by an explicit reconnect', async () => {
    const credsPath = await server.user('web-01');
    const { nc, came } = await connected({ credsPath, reconnectWindowMs: FOREVER_MS });
    await nc.reconnect();
    await came('reconnect');
    await nc.flush();
  });

  it('holds before the first attempt too, and ends when the connection is closed', async () => {
    const credsPath = await server.user('web-01');
    const { nc, came } = await connected({ credsPath, reconnectWindowMs: FOREVER_MS });
    await server.restart();
    await came('disconnect');
    const other = await connected({ credsPath: await server.user('web-02'), peelId: 'web-02' });
    await other.nc.flush();
    nc.publish('kept');
    expect(nc.buffered.messages).toBe(1);
    await nc.close();
    expect(nc.isClosed()).toBe(true);
  });

  it('is cut short when the credentials are replaced', async () => {
    const credsPath = await server.user('web-01');
    const { nc, came } = await connected({ credsPath, reconnectWindowMs: FOREVER_MS });
    await server.restart();
    await came('disconnect');
    await replaceByRename(credsPath, await server.user('web-01'));
    await came('reconnect');
    await nc.flush();
  });

  it.skipIf(noCluster)('holds for the other servers of a cluster as well', async () => {
    const cluster = await startCluster();
    const credsPath = await cluster.user('web-01');
    const spread = await connected({ credsPath, servers: cluster.urls, reconnectWindowMs: FOREVER_MS });
    const quick = await connected({ credsPath, servers: cluster.urls, reconnectWindowMs: 50 });
    for (const peel of [spread, quick]) {
      const port = Number(peel.nc.getServer().split(':').at(-1));
      const node = cluster.nodes.find((each) => each.port === port && each.isRunning);
      if (node === undefined) continue; // killed for the other one
      await node.kill('SIGKILL');
    }
    await quick.came('reconnect');
    await quick.nc.flush();
    await spread.came('disconnect');
    spread.nc.publish('kept');
    expect(spread.nc.buffered.messages).toBe(1);
  });
});
