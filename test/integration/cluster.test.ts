import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type OperatorCluster } from '../support/cluster.js';
import { nextStatus } from '../support/status.js';
import { waitFor } from '../support/wait-for.js';

/** The same credentials on three servers: only the URL differs. */
describe('a cluster of three', () => {
  let cluster: OperatorCluster;
  beforeAll(async () => {
    cluster = await startCluster(3);
  });

  it('admits a peel at each of its servers', async () => {
    const creds = await cluster.bootstrap('web-01');
    for (const node of cluster.nodes) {
      const nc = await cluster.connect(creds, { servers: node.url, reconnect: false });
      await nc.flush();
      expect(nc.info?.server_name).toMatch(/^n[123]$/);
      await nc.close();
    }
  });

  it(
    'keeps a peel connected, and the state complete, when its server is killed',
    { timeout: 90_000 },
    async () => {
      const peel = await cluster.connect(await cluster.bootstrap('web-01'), { maxReconnectAttempts: -1 });
      const lost = cluster.nodes.findIndex((_, i) => peel.info?.server_name === `n${i + 1}`);
      const elsewhere = cluster.node((lost + 1) % 3).url;
      const master = await cluster.connect(await cluster.user('master'), { servers: elsewhere });
      const manager = await jetstreamManager(master);
      await manager.streams.add({ name: 'state', subjects: ['state.>'], num_replicas: 3 });
      // the server of this connection may not know the new stream yet
      await waitFor('the message to be stored', () =>
        jetstream(master).publish('state.one', 'kept', { msgID: 'one' }),
      );

      const reconnected = nextStatus(peel, 'reconnect');
      await cluster.node(lost).kill('SIGKILL');
      await reconnected;
      await peel.flush();
      expect(peel.info?.server_name).not.toBe(`n${lost + 1}`);

      await cluster.whole();
      // the stream elects its own leader, after the servers have elected theirs
      const { state } = await waitFor('the stream', () => manager.streams.info('state'));
      expect(state.messages).toBe(1);

      await cluster.node(lost).start();
      await cluster.whole();
      const nc = await cluster.connect(await cluster.bootstrap('web-02'), {
        servers: cluster.node(lost).url,
      });
      await nc.flush();
      expect(nc.info?.server_name).toBe(`n${lost + 1}`);
    },
  );
});
