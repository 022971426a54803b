import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { isConnectionOpen } from '../../src/system-account/connection-open.js';
import { connectSystem } from '../../src/system-account/system-connection.js';
import { startHome, type HomeWithServers } from '../integration/trust/support.js';
import { atEnd } from '../support/cleanup.js';
import { waitFor } from '../support/wait-for.js';

async function system(fleet: HomeWithServers): Promise<NatsConnection> {
  const nc = await connectSystem(await fleet.domain(), { servers: fleet.servers });
  atEnd(() => nc.close());
  return nc;
}

describe('whether a connection is open', () => {
  it('is what its server says, before and after it ends', async () => {
    const fleet = await startHome();
    const [asking, other] = [await system(fleet), await system(fleet)];
    const { server_id: server = '', client_id: cid = 0 } = other.info ?? {};
    expect(await isConnectionOpen(asking, { server, cid })).toBe(true);
    await other.close();
    await waitFor(
      'the server to notice',
      async () => (await isConnectionOpen(asking, { server, cid })) === false,
    );
  });

  it('is unknown if the server does not answer', async () => {
    const fleet = await startHome();
    const nc = await system(fleet);
    expect(await isConnectionOpen(nc, { server: `N${'A'.repeat(55)}`, cid: 1 })).toBeUndefined();
  });

  it.each(['*', '>', 'PING', 'A.B', '', 'N A'])('asks no server named "%s"', async (server) => {
    const asked: string[] = [];
    const request = (subject: string) => {
      asked.push(subject);
      return Promise.reject(new Error('unreachable'));
    };
    expect(await isConnectionOpen({ request }, { server, cid: 1 })).toBeUndefined();
    expect(asked).toEqual([]);
  });
});
