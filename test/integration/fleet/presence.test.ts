import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { contextOf } from '../../../src/master/context-of.js';
import type { AdminClient } from '../../../src/protocol/admin-client.js';
import type { ListedPeel } from '../../../src/protocol/messages.js';
import type { Master } from '../../../src/master/master.js';
import { encodeJson } from '../../../src/protocol/messages.js';
import { startZester } from '../server/zester-process.js';
import { waitFor } from '../../support/wait-for.js';
import { startHome } from '../trust/support.js';
import { Fleet, startFleet, startFleetCluster } from './fleet.js';
import { addCreds } from './peels.js';

const LIMIT = 90_000;

async function connectedPeels(admin: AdminClient): Promise<ListedPeel[]> {
  const listed: ListedPeel[] = [];
  for await (const { peels } of admin.stream('peel.list', { connected: true })) listed.push(...peels);
  return listed;
}

async function connectedIds(admin: AdminClient): Promise<string[]> {
  return (await connectedPeels(admin)).map(({ record }) => record.id);
}

/** Whether a peel has connected after this time: after a restart, its connection of before is known for a moment. */
function isBack({ presence }: ListedPeel, restartedAt: number): boolean {
  return (presence?.connections ?? []).some(({ since }) => Date.parse(since) > restartedAt);
}

/** Peels that are connected and active. */
async function startPeels(fleet: Fleet, ids: readonly string[]) {
  const admin = await fleet.admin();
  const peels = new Map<string, { drain(): Promise<unknown>; path: string }>();
  for (const id of ids) {
    const path = await addCreds(fleet, admin, id);
    const { nc } = await fleet.home.peel(id, path);
    peels.set(id, { drain: () => nc.drain(), path });
  }
  for (const id of ids) await fleet.record(id, ({ state }) => state === 'active');
  return { admin, peels };
}

const isConnected = (master: Master, id: string) => contextOf(master).presence.isConnected(id);
const known = (what: string, masters: readonly Master[], id: string, connected: boolean) =>
  waitFor(what, () => masters.every((master) => isConnected(master, id) === connected), 30_000);

describe('presence', () => {
  it(
    'is known to every master, to one that starts later and to one that takes over',
    async () => {
      const fleet = await startFleet();
      await waitFor('a watcher', () => fleet.master.watching);
      const second = await fleet.startMaster();
      const { peels } = await startPeels(fleet, ['web-1', 'web-2']);
      await known('web-1 to be connected', [fleet.master, second], 'web-1', true);
      const third = await fleet.startMaster();
      await known('a later master to know it', [third], 'web-1', true);
      await peels.get('web-1')?.drain();
      await known('web-1 to be gone', [fleet.master, second, third], 'web-1', false);
      expect(contextOf(second).presence.get('web-1')?.lastSeen).toBe(
        contextOf(fleet.master).presence.get('web-1')?.lastSeen,
      );
      await fleet.master.stop();
      await waitFor('another watcher', () => second.watching || third.watching);
      await peels.get('web-2')?.drain();
      await known('web-2 to be gone', [second, third], 'web-2', false);
    },
    LIMIT,
  );

  it(
    'never includes a revoked peel, whichever master is killed and whichever server restarts',
    async () => {
      const fleet = new Fleet(await startHome());
      const args = ['master', '--home', fleet.home.home, '--servers', ...fleet.servers, '--json'];
      const first = startZester(args);
      await waitFor('it to watch', () => first.stderr().includes('following the servers'), 60_000);
      const second = await fleet.startMaster();
      expect(second.watching).toBe(false);
      const { admin } = await startPeels(fleet, ['web-1', 'web-2', 'web-3']);
      await known('web-1 to be connected', [second], 'web-1', true);
      await admin.ask('peel.revoke', { peelId: 'web-1' });
      first.kill('SIGKILL');
      await first.exited;
      expect(await waitFor('an answer', () => connectedIds(admin), 60_000)).not.toContain('web-1');
      await waitFor('the other to watch', () => second.watching, 30_000);
      await waitFor('the others to be known', async () => (await connectedIds(admin)).length === 2);
      expect(await connectedIds(admin)).toEqual(['web-2', 'web-3']);
      const [node] = fleet.home.nodes;
      await node?.stop();
      const restartedAt = Date.now();
      await node?.start();
      const after = await fleet.admin();
      const back = async () => (await connectedPeels(after)).filter((peel) => isBack(peel, restartedAt));
      await waitFor('them to be back', async () => (await back()).length === 2, 30_000);
      expect(await connectedIds(after)).toEqual(['web-2', 'web-3']);
      expect((await after.ask('status', {})).connected).toBe(2);
    },
    LIMIT,
  );

  it(
    'follows when one server of a cluster is killed',
    async () => {
      const fleet = await startFleetCluster();
      await fleet.startMaster();
      await fleet.startMaster();
      const { admin } = await startPeels(fleet, ['web-1', 'web-2', 'web-3', 'web-4']);
      await waitFor('all', async () => (await connectedIds(admin)).length === 4);
      const server = contextOf(fleet.master).presence.get('web-1')?.connections[0]?.server;
      const at = fleet.home.nodes.find((node) =>
        contextOf(fleet.master).nc.getServer().includes(String(node.port)),
      );
      const other = fleet.home.nodes.find((node) => node !== at);
      await other?.kill();
      await waitFor(
        'each peel to be connected to a server that lives, once',
        () =>
          fleet.masters
            .map(contextOf)
            .every((context) =>
              ['web-1', 'web-2', 'web-3', 'web-4'].every(
                (id) => context.presence.get(id)?.connections.length === 1,
              ),
            ),
        40_000,
      );
      expect(server).toBeDefined();
    },
    LIMIT,
  );

  it(
    'is read from the servers if the watching master publishes nothing',
    async () => {
      const fleet = await startFleet();
      await waitFor('a watcher', () => fleet.master.watching);
      const { admin, peels } = await startPeels(fleet, ['web-1', 'web-2']);
      await fleet.master.stop();
      // an older master, according to the lease: it publishes no presence
      const second = await fleet.startMaster();
      let isOver = false;
      const holding = (async () => {
        const { challenges } = contextOf(second).store;
        while (!isOver) {
          await challenges.put('lease.watch', encodeJson({ holder: 'OLDER' })).catch(() => undefined);
          await delay(300);
        }
      })();
      try {
        await waitFor(
          'it to follow',
          () => !second.watching && contextOf(second).watching() === 'OLDER',
          30_000,
        );
        await peels.get('web-2')?.drain();
        await waitFor(
          'what the servers say',
          async () => (await connectedIds(admin)).join() === 'web-1',
          45_000,
        );
      } finally {
        isOver = true;
        await holding;
      }
    },
    LIMIT,
  );
});

describe('the last-seen time of a peel', () => {
  let fleet: Fleet;
  afterEach(() => fleet.master.stop());

  it(
    'survives an outage of all masters, and a server restart does not cost one write per peel',
    async () => {
      fleet = await startFleet();
      const ids = Array.from({ length: 30 }, (_, i) => `web-${i}`);
      const { admin, peels } = await startPeels(fleet, ids);
      await waitFor('all', async () => (await connectedIds(admin)).length === ids.length);
      await peels.get('web-0')?.drain();
      await known('web-0 to be gone', [fleet.master], 'web-0', false);
      const seen = contextOf(fleet.master).presence.get('web-0')?.lastSeen;
      const { store } = contextOf(fleet.master);
      const lastOf = async (stream: string) => (await store.jsm.streams.info(stream)).state.last_seq;
      await waitFor(
        'it to be stored',
        async () => {
          const stored = (await store.presence.get('_seen.1.0'))?.json<{ down: Record<string, number> }>();
          return stored?.down['web-0'] !== undefined;
        },
        30_000,
      );
      const records = await lastOf('KV_zester-peels');
      const presence = await lastOf('KV_zester-presence');

      const [node] = fleet.home.nodes;
      await node?.stop();
      const restartedAt = Date.now();
      await node?.start();
      const again = await fleet.admin();
      const back = async () => (await connectedPeels(again)).filter((peel) => isBack(peel, restartedAt));
      await waitFor('all to be back', async () => (await back()).length === ids.length - 1, 40_000);
      await fleet.master.stop();
      await peels.get('web-1')?.drain();

      const next = await fleet.startMaster();
      expect(await contextOf(next).store.jsm.streams.info('KV_zester-peels')).toMatchObject({
        state: { last_seq: records },
      });
      const { state } = await contextOf(next).store.jsm.streams.info('KV_zester-presence');
      expect(state.last_seq - presence).toBeLessThan(8);
      const wasSeen = await waitFor('it to be read', () => contextOf(next).presence.get('web-0')?.lastSeen);
      expect(Math.abs(Date.parse(wasSeen) - Date.parse(seen ?? ''))).toBeLessThanOrEqual(1_000);
      await waitFor('the others to be known', () => isConnected(next, 'web-2'), 30_000);
      expect(isConnected(next, 'web-1')).toBe(false);
      // it was connected when the last master ended: it was seen until now
      await waitFor('its end', () => {
        const lastSeen = contextOf(next).presence.get('web-1')?.lastSeen ?? '';
        return Date.parse(lastSeen) > Date.parse(wasSeen);
      });
    },
    LIMIT,
  );
});
