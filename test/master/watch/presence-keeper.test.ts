import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Presence } from '../../../src/protocol/records/presence.js';
import type { KvMirror } from '../../../src/master/store/kv-mirror.js';
import type { MasterLogger } from '../../../src/master/logger.js';
import { PresenceKeeper } from '../../../src/master/watch/presence-keeper.js';
import type { UserConnection } from '../../../src/master/watch/system-events.js';

const connection = (name: string, cid: number): UserConnection =>
  ({
    server: 'S1',
    cid,
    name,
    publicKey: 'U',
    jwt: '',
    since: '',
    kind: 'Client',
  }) as unknown as UserConnection;

/** A keeper whose store fails for as long as `isDown`, and what it logged and wrote. */
function keeperOf() {
  const store = { isDown: true, tries: 0, written: new Set<string>() };
  const warnings: unknown[] = [];
  const presence = {
    change: async (name: string) => {
      store.tries += 1;
      if (store.isDown) throw new Error('JetStream is full');
      store.written.add(name);
    },
    entries: () => [],
  } as unknown as KvMirror<Presence>;
  const logger = { warn: (fields: unknown) => warnings.push(fields) } as unknown as MasterLogger;
  return { keeper: new PresenceKeeper(presence, logger), store, warnings };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('presence that cannot be written', () => {
  it('is retried with backoff, logged once, and written when the store is back', async () => {
    const { keeper, store, warnings } = keeperOf();
    keeper.add(connection('web-01', 1));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.tries).toBeLessThan(10);
    expect(warnings).toHaveLength(1);

    store.isDown = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect([...store.written]).toEqual(['web-01']);
    await keeper.stop();
  });

  it('does not keep that of another peel waiting', async () => {
    const { keeper, store } = keeperOf();
    keeper.add(connection('web-01', 1));
    await vi.advanceTimersByTimeAsync(20_000);
    store.isDown = false;
    keeper.add(connection('web-02', 2));
    await vi.advanceTimersByTimeAsync(200);
    expect(store.written.has('web-02')).toBe(true);
    await keeper.stop();
  });
});
