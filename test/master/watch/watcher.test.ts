import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Revoker } from '../../../src/master/revocation/revoker.js';
import { MAX_CONNECTIONS } from '../../../src/master/watch/admission.js';
import type { SystemListener, UserConnection } from '../../../src/master/watch/system-events.js';
import type { SystemView } from '../../../src/master/watch/system-view.js';
import { Watcher } from '../../../src/master/watch/watcher.js';
import type { JoinToken } from '../../../src/protocol/records/join-token.js';
import {
  CONNECTIONS_INTERVAL_MS,
  MASTER_CLOCK_WARNING_MS,
  RECHECK_INTERVAL_MS,
  RETIRE_MS,
  SERVERS_INTERVAL_MS,
  WATCH_TICK_MS,
} from '../../../src/timing.js';
import { issuing, peelConnection, watchContext } from './watch-context.js';

type Parts = Awaited<ReturnType<typeof watchContext>>;
const stops: (() => Promise<void>)[] = [];

/** The servers as seen by a watcher: their connections and reports. */
class MemorySystem {
  readonly connected: UserConnection[] = [];
  readonly servers = new Map([['N1', 'n1']]);
  readonly routed = new Set<string>();
  readonly kicked: number[] = [];
  readings = 0;
  /** The numbers of the connections that were read again. */
  readonly reread: number[] = [];
  /** The connections that the last scan had to request in full. */
  requested: UserConnection[] = [];
  #listener: SystemListener | undefined;
  #restore: () => void = () => undefined;
  #restored = new Promise<void>((resolve) => (this.#restore = resolve));

  readonly view: SystemView = {
    listen: (listener) => {
      this.#listener = listener;
      return [{ unsubscribe: () => (this.#listener = undefined) }];
    },
    connections: async (known) => {
      this.readings += 1;
      this.requested = this.connected.filter((one) => known(one) === undefined);
      const connections = this.connected.map((one) => known(one) ?? one);
      return { servers: new Set(this.servers.keys()), connections };
    },
    read: async (connections) => {
      const isRead = ({ server, cid }: UserConnection) =>
        connections.some((one) => one.server === server && one.cid === cid);
      this.reread.push(...connections.map(({ cid }) => cid));
      return this.connected.filter(isRead);
    },
    servers: async () => ({ names: new Map(this.servers), routed: this.routed }),
    kick: async ({ cid }) => {
      this.kicked.push(cid);
      return 'kicked';
    },
    status: () => this.#status(),
  };

  async *#status() {
    await this.#restored;
    yield { type: 'reconnect' };
  }

  get isFollowed(): boolean {
    return this.#listener !== undefined;
  }

  connect(connection: UserConnection): void {
    this.connected.push(connection);
    this.#listener?.connected(connection);
  }

  disconnect({ server, cid }: UserConnection): void {
    const at = this.connected.findIndex((one) => one.server === server && one.cid === cid);
    this.connected.splice(at, 1);
    this.#listener?.disconnected({ server, cid, reason: 'Client Closed' });
  }

  clock(time: number): void {
    this.#listener?.clock(time);
  }

  /** The connection to the servers is back after an outage. */
  reconnect(): void {
    this.#restore();
  }
}

/** A watcher that has read all connections. `before` runs first. */
async function started(before: (parts: Parts & { system: MemorySystem }) => unknown = () => undefined) {
  const parts = await watchContext();
  const system = new MemorySystem();
  await before({ ...parts, system });
  const revoked: string[] = [];
  const revoker: Pick<Revoker, 'revokeStranger'> = { revokeStranger: (key) => void revoked.push(key) };
  let settled = 0;
  const watcher = new Watcher(parts.context, system.view, revoker, () => (settled += 1));
  stops.push(() => watcher.stop());
  await watcher.start();
  const isConnected = (id: string) => parts.context.presence.isConnected(id);
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { ...parts, system, watcher, revoked, settled: () => settled, isConnected, pass };
}

/** A watcher that has admitted a connection whose key was revoked since: judged again, it is refused. */
async function withUnseenRevocation() {
  const connection = peelConnection('web-1');
  const parts = await started(({ registry }) => registry.decide('web-1', () => issuing(connection)));
  const { system, registry, context } = parts;
  system.connect(connection);
  await vi.waitFor(() => expect(registry.get('web-1')?.state).toBe('active'));
  const change = {
    kind: 'key.revoking' as const,
    publicKeys: [connection.publicKey],
    upTo: Math.floor(Date.now() / 1000),
  };
  await registry.decide('web-1', () => ({ change, by: context.actor }));
  return { ...parts, connection };
}

/** Lets the queue process its entries, which takes turns of the event loop. */
async function settledQueue(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
}

beforeEach(
  () =>
    void vi.useFakeTimers({
      toFake: ['performance', 'setTimeout', 'setInterval', 'clearInterval', 'clearTimeout'],
    }),
);
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  vi.useRealTimers();
});

describe('a watcher that starts', () => {
  it('knows and judges all existing connections', async () => {
    const connection = peelConnection('web-1');
    const { isConnected, registry, settled } = await started(async ({ registry, system }) => {
      await registry.decide('web-1', () => issuing(connection));
      system.connected.push(connection);
    });
    expect([settled(), isConnected('web-1')]).toEqual([1, true]);
    await vi.waitFor(() => expect(registry.get('web-1')?.state).toBe('active'));
  });

  it('records what the account JWT revokes', async () => {
    const connection = peelConnection('web-1');
    const { registry, kinds } = await started(async ({ registry, claims }) => {
      await registry.decide('web-1', () => issuing(connection));
      claims.nats.revocations = { [connection.publicKey]: Math.floor(Date.now() / 1000) + 1 };
    });
    expect(registry.get('web-1')?.state).toBe('revoked');
    expect(kinds()).toEqual(['key.issued', 'peel.revoked']);
  });
});

describe('a watcher', () => {
  it('follows connects and disconnects, and stops following when it is stopped', async () => {
    const { system, isConnected, watcher } = await started();
    const connection = peelConnection('web-1');
    system.connect(connection);
    expect(isConnected('web-1')).toBe(true);
    system.disconnect(connection);
    expect(isConnected('web-1')).toBe(false);
    await watcher.stop();
    expect(system.isFollowed).toBe(false);
  });

  it('has the key of a stranger revoked', async () => {
    const { system, revoked } = await started(({ registry }) =>
      registry.decide('web-1', () => issuing(peelConnection('web-1'))),
    );
    const stranger = peelConnection('web-1');
    system.connect(stranger);
    await vi.waitFor(() => expect(revoked).toEqual([stranger.publicKey]));
  });

  it('has the connections of a peel above the limit cut', async () => {
    const connection = peelConnection('web-1');
    const { system } = await started(({ registry }) => registry.decide('web-1', () => issuing(connection)));
    for (let cid = 1; cid <= MAX_CONNECTIONS + 2; cid++) system.connect({ ...connection, cid });
    await vi.waitFor(() => expect(system.kicked).toEqual([MAX_CONNECTIONS + 1, MAX_CONNECTIONS + 2]));
  });

  it('reads all connections again after an outage, in which events were lost', async () => {
    const { system, isConnected, pass } = await started();
    const connection = peelConnection('web-1');
    system.connected.push(connection);
    system.reconnect();
    await pass(CONNECTIONS_INTERVAL_MS / 2);
    expect([system.readings, isConnected('web-1')]).toEqual([2, true]);
  });

  it('reads known connections again after an outage, and judges one that has got another user', async () => {
    const [first, second] = [peelConnection('web-1', 1), peelConnection('web-2', 2)];
    const { system, isConnected, revoked, pass } = await started(async ({ registry }) => {
      for (const one of [first, second]) await registry.decide(one.name, () => issuing(one));
      await registry.decide('db-1', () => issuing(peelConnection('db-1')));
    });
    for (const one of [first, second]) system.connect(one);
    const stranger = peelConnection('db-1', 1);
    system.connected.splice(0, 1, stranger);
    await pass(RECHECK_INTERVAL_MS);
    expect(system.reread).toEqual([]);
    system.reconnect();
    await pass(RECHECK_INTERVAL_MS);
    await vi.waitFor(() => expect(revoked).toEqual([stranger.publicKey]));
    expect(system.reread).toEqual([1, 2]);
    expect(['web-1', 'web-2', 'db-1'].map(isConnected)).toEqual([false, true, true]);
  });

  it('reads the connections of a silent server again once it responds', async () => {
    const { system, pass } = await started(({ system }) => system.servers.set('N2', 'n2'));
    system.connect({ ...peelConnection('web-1', 7), server: 'N2' });
    await pass(SERVERS_INTERVAL_MS);
    system.servers.delete('N2');
    await pass(2 * SERVERS_INTERVAL_MS);
    system.servers.set('N2', 'n2');
    await pass(SERVERS_INTERVAL_MS);
    await vi.waitFor(() => expect(system.readings).toBeGreaterThan(1));
    await pass(RECHECK_INTERVAL_MS);
    expect(system.reread).toEqual([7]);
  });

  it('drops the connections of a server that is gone', async () => {
    const { system, isConnected, pass, lines } = await started(({ system }) =>
      system.servers.set('N2', 'n2'),
    );
    system.connect({ ...peelConnection('web-1'), server: 'N2' });
    await pass(SERVERS_INTERVAL_MS);
    system.servers.delete('N2');
    await pass(SERVERS_INTERVAL_MS);
    expect(isConnected('web-1')).toBe(true);
    await pass(SERVERS_INTERVAL_MS);
    expect(isConnected('web-1')).toBe(false);
    expect(lines).toContainEqual({
      level: 'warn',
      fields: { server: 'N2' },
      text: 'a server is gone, with its connections',
    });
  });

  it('knows the connections of a silent server again once it responds, without requesting their JWTs', async () => {
    const { system, isConnected, pass } = await started(({ system }) => system.servers.set('N2', 'n2'));
    const there = { ...peelConnection('web-1'), server: 'N2' };
    system.connect(there);
    await pass(SERVERS_INTERVAL_MS);
    system.servers.delete('N2');
    await pass(2 * SERVERS_INTERVAL_MS);
    expect(isConnected('web-1')).toBe(false);
    system.connected.push({ ...peelConnection('web-2'), server: 'N2', cid: there.cid + 1 });
    system.servers.set('N2', 'n2');
    await pass(SERVERS_INTERVAL_MS);
    await vi.waitFor(() => expect(isConnected('web-1')).toBe(true));
    expect(system.requested.map(({ name }) => name)).toEqual(['web-2']);
  });

  it('does not read all connections again because an overloaded server misses one check', async () => {
    const { system, pass } = await started(({ system }) => system.servers.set('N2', 'n2'));
    await pass(SERVERS_INTERVAL_MS);
    const { readings } = system;
    system.servers.delete('N2');
    await pass(SERVERS_INTERVAL_MS);
    system.servers.set('N2', 'n2');
    await pass(SERVERS_INTERVAL_MS);
    expect(system.readings).toBe(readings);
  });

  it('judges all connections again when the account has other signing keys', async () => {
    const { connection, claims, changes, revoked } = await withUnseenRevocation();
    changes.trust();
    await settledQueue();
    expect(revoked).toEqual([]);
    claims.nats.signing_keys = [...(claims.nats.signing_keys ?? []), 'AOTHER'];
    changes.trust();
    await vi.waitFor(() => expect(revoked).toEqual([connection.publicKey]));
  });

  it('judges the connections of a join token again when the token is removed', async () => {
    const { connection, changes, revoked } = await withUnseenRevocation();
    const removedAt = '2030-01-01T00:00:00.000Z';
    changes.token('ci', { publicKey: connection.publicKey } as JoinToken);
    changes.token('ci', { publicKey: 'UOTHER', removedAt } as JoinToken);
    await settledQueue();
    expect(revoked).toEqual([]);
    changes.token('ci', { publicKey: connection.publicKey, removedAt } as JoinToken);
    await vi.waitFor(() => expect(revoked).toEqual([connection.publicKey]));
  });

  it('revokes a replaced key once its connection has ended, or has had its time', async () => {
    const [old, drained, young] = [1, 2, 3].map((cid) => peelConnection('web-1', cid));
    if (old === undefined || drained === undefined || young === undefined) throw new Error('three');
    const { system, registry, pass } = await started(async ({ registry }) => {
      for (const connection of [old, drained, young]) {
        await registry.decide('web-1', () => issuing(connection));
        await registry.decide('web-1', () => ({
          change: { kind: 'key.connected', publicKey: connection.publicKey },
          by: { kind: 'master', name: 'm1' },
        }));
      }
    });
    const states = () => registry.get('web-1')?.keys.map(({ state }) => state);
    system.connect(old);
    system.connect(young);
    expect(states()).toEqual(['retired', 'retired', 'live']);
    await pass(WATCH_TICK_MS);
    expect(states()).toEqual(['retired', 'revoking', 'live']);
    await pass(RETIRE_MS);
    expect(states()).toEqual(['revoking', 'revoking', 'live']);
  });

  it("warns once that this master's clock is off", async () => {
    const { system, lines } = await started();
    system.clock(Date.now() - MASTER_CLOCK_WARNING_MS / 2);
    const warnings = () => lines.filter(({ fields }) => 'offMs' in fields);
    expect(warnings()).toEqual([]);
    system.clock(Date.now() - 2 * MASTER_CLOCK_WARNING_MS);
    system.clock(Date.now() + 2 * MASTER_CLOCK_WARNING_MS);
    expect(warnings()).toMatchObject([
      { level: 'warn', text: expect.stringContaining("s ahead of a server's") as string },
    ]);
  });
});
