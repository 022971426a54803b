import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MasterLogger } from '../../../src/master/logger.js';
import { LastSeenStore, type LastSeenParts } from '../../../src/master/presence/last-seen-store.js';
import { PresenceView } from '../../../src/master/presence/presence-view.js';
import type { PeelConnection } from '../../../src/protocol/records/presence.js';

const CONNECTION: PeelConnection = { server: 'S1', cid: 1, publicKey: 'U', since: '2030-01-01T00:00:00Z' };

/** A store that fails while `isDown`, with its writes and its log. */
async function storeOf() {
  const state = { isDown: true, tries: 0, written: new Map<string, string>() };
  const warnings: unknown[] = [];
  const view = new PresenceView();
  const store = {
    jsm: { streams: { getMessage: async () => null } },
    presence: {
      put: async (key: string, data: Uint8Array) => {
        state.tries += 1;
        if (state.isDown) throw new Error('JetStream is full');
        state.written.set(key, Buffer.from(data).toString());
        return state.tries;
      },
    },
  } as unknown as LastSeenParts['store'];
  const logger = { warn: (fields: unknown) => warnings.push(fields) } as unknown as MasterLogger;
  const lastSeen = new LastSeenStore({ store, view, logger });
  lastSeen.begin();
  lastSeen.load();
  await vi.advanceTimersByTimeAsync(0);
  lastSeen.settled();
  const text = () => [...state.written.values()].join();
  return { lastSeen, view, state, warnings, text };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the last-seen times of peels', () => {
  it('are retried with backoff when the store fails, which is logged once, and stored when it is back', async () => {
    const { lastSeen, view, state, warnings, text } = await storeOf();
    view.set('web-01', [CONNECTION], 1, 1_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(state.tries).toBeGreaterThan(1);
    expect(state.tries).toBeLessThan(10);
    expect(warnings).toHaveLength(1);

    state.isDown = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(text()).toContain('"up":{"web-01":1}');
    await lastSeen.close();
  });

  it('take one write for many peels, and no more than a few writes a second', async () => {
    const { lastSeen, view, state } = await storeOf();
    state.isDown = false;
    for (let i = 0; i < 20_000; i += 1) view.set(`web-${i}`, [CONNECTION], 1, 1_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(state.tries).toBe(32);
    // a server restarts
    for (let i = 0; i < 20_000; i += 1) view.set(`web-${i}`, [], 0, 2_000);
    for (let i = 0; i < 20_000; i += 1) view.set(`web-${i}`, [CONNECTION], 1, 3_000);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(state.tries).toBeLessThan(32 + 16);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(state.tries).toBe(64);
    await lastSeen.close();
  });

  it('are stored when a master stops', async () => {
    const { lastSeen, view, state, text } = await storeOf();
    state.isDown = false;
    view.set('web-01', [], 0, 7_000);
    await lastSeen.close();
    expect(text()).toContain('"down":{"web-01":7}');
  });

  it('are not stored by a master that no longer watches', async () => {
    const { lastSeen, view, state } = await storeOf();
    state.isDown = false;
    view.set('web-01', [], 0, 7_000);
    lastSeen.end();
    await vi.advanceTimersByTimeAsync(60_000);
    await lastSeen.close();
    expect(state.tries).toBe(0);
  });
});
