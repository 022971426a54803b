import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MasterLogger } from '../../../src/master/logger.js';
import { Recheck } from '../../../src/master/watch/recheck.js';
import type { UserConnection } from '../../../src/master/watch/system-events.js';
import { RECHECK_INTERVAL_MS, RECHECK_MAX_DELAY_MS, RECHECK_MAX_RETRY_MS } from '../../../src/timing.js';

const connectionsOf = (count: number) =>
  Array.from({ length: count }, (_, cid) => ({ server: 'N1', cid, name: 'before' }) as UserConnection);

/** A recheck of connections that all exist, on servers that answer. */
function recheckOf() {
  const state = { isSilent: false, isBusy: false, requests: [] as number[][], read: [] as string[] };
  const ended = new Set<UserConnection>();
  let during: () => void = () => undefined;
  const recheck = new Recheck({
    read: async (connections) => {
      state.requests.push(connections.map(({ cid }) => cid));
      during();
      return state.isSilent ? undefined : connections.map((one) => ({ ...one, name: 'after' }));
    },
    isConnected: (connection) => !ended.has(connection),
    isBusy: () => state.isBusy,
    onRead: ({ name, cid }) => void state.read.push(`${name} ${cid}`),
    logger: { debug: () => undefined } as unknown as MasterLogger,
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { recheck, state, ended, pass, whileReading: (act: () => void) => (during = act) };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('connections that are read again', () => {
  it('are read once, at most 200 a second', async () => {
    const { recheck, state, pass } = recheckOf();
    const connections = connectionsOf(1_000);
    recheck.add(connections);
    recheck.add(connections);
    await pass(1_000);
    expect(state.requests.flat().length).toBe(200);
    await pass(60_000);
    expect(state.requests.flat()).toHaveLength(1_000);
    expect(state.read).toHaveLength(1_000);
    expect(state.read[0]).toBe('after 0');
  });

  it('are left out once they have ended, and once an event has told more about them', async () => {
    const { recheck, state, ended, pass, whileReading } = recheckOf();
    const [first, second, third] = connectionsOf(3);
    if (first === undefined || second === undefined || third === undefined) throw new Error('three');
    ended.add(first);
    whileReading(() => ended.add(second));
    recheck.add([first, second, third]);
    await pass(RECHECK_INTERVAL_MS);
    expect(state.requests).toEqual([[1, 2]]);
    expect(state.read).toEqual(['after 2']);
  });

  it('wait while a storm is judged, but not for long', async () => {
    const { recheck, state, pass } = recheckOf();
    state.isBusy = true;
    recheck.add(connectionsOf(60));
    await pass(RECHECK_MAX_DELAY_MS / 2);
    expect(state.requests).toEqual([]);
    await pass(RECHECK_MAX_DELAY_MS);
    expect(state.requests.flat()).toHaveLength(60);

    recheck.add(connectionsOf(1));
    await pass(RECHECK_MAX_DELAY_MS / 2);
    state.isBusy = false;
    await pass(RECHECK_INTERVAL_MS);
    expect(state.requests.flat()).toHaveLength(61);
  });

  it('are read with backoff while a server does not answer', async () => {
    const { recheck, state, pass } = recheckOf();
    state.isSilent = true;
    recheck.add(connectionsOf(1));
    await pass(2 * RECHECK_MAX_RETRY_MS);
    expect(state.requests.length).toBeGreaterThan(3);
    expect(state.requests.length).toBeLessThan(10);
    state.isSilent = false;
    await pass(RECHECK_MAX_RETRY_MS);
    expect(state.read).toEqual(['after 0']);
  });

  it('are not read after a stop, not even those under way', async () => {
    const { recheck, state, pass, whileReading } = recheckOf();
    recheck.add(connectionsOf(60));
    whileReading(() => recheck.stop());
    await pass(RECHECK_MAX_RETRY_MS);
    expect(state.requests).toHaveLength(1);
    expect(state.read).toEqual([]);
  });
});
