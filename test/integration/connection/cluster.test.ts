import { beforeAll, describe, expect, it } from 'vitest';
import { connectPeel } from '../../../src/connection/connect.js';
import type { ConnectionEvent } from '../../../src/connection/events.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { atEnd } from '../../support/cleanup.js';
import { startCluster, type OperatorCluster } from '../../support/cluster.js';
import type { ManagedServer } from '../../support/managed-server.js';
import { waitFor } from '../../support/wait-for.js';
import { collect, into, replaceByRename, SHORT_WAITS, works, type TestPeel } from './support.js';

let cluster: OperatorCluster;
beforeAll(async () => {
  cluster = await startCluster(3);
});

async function startPeel(rotate: 'reconnect' | 'hitless' = 'reconnect'): Promise<TestPeel> {
  const credsPath = await cluster.user('web-01');
  const events: ConnectionEvent[] = [];
  const nc = await connectPeel({
    servers: cluster.urls,
    credsPath,
    peelId: 'web-01',
    rotate,
    ...SHORT_WAITS,
    onEvent: (e) => events.push(e),
  });
  atEnd(() => nc.close());
  return { nc, credsPath, events, statuses: collect(nc.status()) };
}

function nodeOf(peel: TestPeel): ManagedServer {
  const node = cluster.nodes.find(({ port }) => peel.nc.getServer().endsWith(`:${port}`));
  if (node === undefined) throw new Error(`${peel.nc.getServer()} is no node of the cluster`);
  return node;
}

describe('in a cluster of three', () => {
  it('moves to another node when its node is killed, and messages published meanwhile arrive in order', async () => {
    const peel = await startPeel();
    const received: number[] = [];
    peel.nc.subscribe('n', { callback: into(received, (msg) => Number(msg.string())) });
    await peel.nc.flush();
    const node = nodeOf(peel);
    await node.kill('SIGKILL');
    await waitFor('the disconnect', () => peel.statuses.some((s) => s.type === 'disconnect'));
    for (let i = 0; i < 1_000; i++) peel.nc.publish('n', String(i));
    await peel.nc.flush();
    expect(received).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    expect(nodeOf(peel)).not.toBe(node);
    await node.start();
    await cluster.whole();
  });

  it('the node is killed while credentials rotate hitlessly: the peel ends on a node that lives, with the new credential', async () => {
    const peel = await startPeel('hitless');
    const received: number[] = [];
    peel.nc.subscribe('h', { queue: 'q', callback: into(received, (msg) => Number(msg.string())) });
    await peel.nc.flush();
    const node = nodeOf(peel);
    await replaceByRename(peel.credsPath, await cluster.user('web-01'));
    await node.kill('SIGKILL');
    await waitFor('the new credential', () => peel.events.some((e) => e.type === 'credentialsLoaded'));
    await works(peel.nc);
    for (let i = 0; i < 500; i++) peel.nc.publish('h', String(i));
    await peel.nc.flush();
    await waitFor('the last message', () => received.length >= 500);
    expect(received).toEqual(Array.from({ length: 500 }, (_, i) => i));
    await node.start();
    await cluster.whole();
  });

  it('a credential that every node refuses is an error at the start, not an endless try', async () => {
    const credsPath = await cluster.user('web-02');
    const { publicKey } = await loadCredsFile(credsPath);
    await cluster.pushAccount(
      cluster.trust.accountJwtWith({ revocations: { [publicKey]: Math.floor(Date.now() / 1000) + 5 } }),
    );
    for (const servers of [cluster.urls, cluster.urls.slice(0, 1)]) {
      await expect(
        connectPeel({ servers, credsPath, peelId: 'web-02', ...SHORT_WAITS }),
      ).rejects.toMatchObject({ code: 'ERR_CONNECT_REFUSED' });
    }
  });

  it('a rotation to a credential that every node refuses keeps the first connection, and reports it', async () => {
    const peel = await startPeel('hitless');
    const refused = await cluster.user('web-01');
    const { publicKey } = await loadCredsFile(refused);
    await cluster.pushAccount(
      cluster.trust.accountJwtWith({ revocations: { [publicKey]: Math.floor(Date.now() / 1000) + 5 } }),
    );
    await replaceByRename(peel.credsPath, refused);
    await waitFor('the failure', () => peel.events.some((e) => e.type === 'rotationFailed'));
    await works(peel.nc);
    expect(peel.statuses.some((s) => s.type === 'disconnect')).toBe(false);
  });

  it('every node is restarted in turn: the peel is never closed, and its messages arrive in order', async () => {
    const peel = await startPeel();
    const received: number[] = [];
    peel.nc.subscribe('r', { callback: into(received, (msg) => Number(msg.string())) });
    await peel.nc.flush();
    let n = 0;
    for (const node of cluster.nodes) {
      const mine = nodeOf(peel) === node;
      const before = peel.statuses.filter((s) => s.type === 'disconnect').length;
      await node.stop();
      if (mine) {
        await waitFor(
          'the disconnect',
          () => peel.statuses.filter((s) => s.type === 'disconnect').length > before,
        );
      }
      for (let i = 0; i < 200; i++) peel.nc.publish('r', String(n++));
      await peel.nc.flush();
      await node.start();
      await cluster.whole();
    }
    await works(peel.nc);
    expect(received).toEqual(Array.from({ length: n }, (_, i) => i));
    expect(peel.nc.isClosed()).toBe(false);
  }, 90_000);
});
