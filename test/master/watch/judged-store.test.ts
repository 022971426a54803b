import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MasterLogger } from '../../../src/master/logger.js';
import { decodeJudged } from '../../../src/master/watch/judged-connections.js';
import { JudgedStore, type JudgedStoreParts } from '../../../src/master/watch/judged-store.js';
import { JUDGED_GATHER_MS, JUDGED_MAX_WAIT_MS } from '../../../src/timing.js';

/** A store whose bucket is in memory, and each peel of which has one connection. */
function storeOf() {
  const state = { isDown: false, tries: 0, written: new Map<string, unknown>(), judgedBy: 'keys' };
  const store = {
    presence: {
      put: async (key: string, data: Uint8Array) => {
        state.tries += 1;
        if (state.isDown) throw new Error('JetStream is full');
        state.written.set(key, JSON.parse(Buffer.from(data).toString()));
        return state.tries;
      },
    },
  } as unknown as JudgedStoreParts['store'];
  const logger = { debug: () => undefined } as unknown as MasterLogger;
  const judged = new JudgedStore({ store, logger });
  const begin = () =>
    judged.begin({
      judgedBy: () => state.judgedBy,
      of: (name) => [{ server: 'N1', cid: Number(name.split('-')[1]), name, publicKey: 'U' }],
    });
  begin();
  const names = () =>
    [...state.written.values()].flatMap((value) => [...decodeJudged(value)]).map(({ name }) => name);
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { judged, begin, state, names, pass };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('judged connections', () => {
  it('are stored soon after they were judged, those of many peels in one write', async () => {
    const { judged, state, names, pass } = storeOf();
    for (let i = 0; i < 900; i += 1) judged.note(`web-${i}`, false);
    await pass(JUDGED_GATHER_MS);
    expect(state.tries).toBe(1);
    expect(names()).toHaveLength(900);
    judged.end();
  });

  it('take at most twenty writes a second, however many connect at once, and each value once', async () => {
    const { judged, state, names, pass } = storeOf();
    for (let i = 0; i < 20_000; i += 1) judged.note(`web-${i}`, false);
    await pass(JUDGED_GATHER_MS + 1_000);
    expect(state.tries).toBeGreaterThan(10);
    expect(state.tries).toBeLessThanOrEqual(21);
    await pass(60_000);
    expect(state.tries).toBe(32);
    expect(new Set(names()).size).toBe(20_000);
    judged.end();
  });

  it('of few peels wait for others of their value, but not for long', async () => {
    const { judged, state, pass } = storeOf();
    for (let i = 0; i < 900; i += 1) judged.note(`web-${i}`, false);
    await pass(JUDGED_GATHER_MS);
    judged.note('web-7', false);
    await pass(JUDGED_MAX_WAIT_MS - 2 * JUDGED_GATHER_MS);
    expect(state.tries).toBe(1);
    await pass(4 * JUDGED_GATHER_MS);
    expect(state.tries).toBe(2);
    judged.end();
  });

  it('of a storm are stored once half of a value has changed, and at the end', async () => {
    const { judged, state, pass } = storeOf();
    for (let i = 0; i < 1_000; i += 1) judged.note(`web-${i}`, false);
    await pass(JUDGED_GATHER_MS);
    expect(state.tries).toBe(1);
    for (let i = 0; i < 400; i += 1) {
      judged.note(`web-${i}`, false);
      await pass(10);
    }
    expect(state.tries).toBe(1);
    for (let i = 400; i < 600; i += 1) judged.note(`web-${i}`, false);
    await pass(JUDGED_GATHER_MS);
    expect(state.tries).toBe(2);
    for (let i = 0; i < 100; i += 1) judged.note(`web-${i}`, false);
    await pass(3 * JUDGED_GATHER_MS);
    expect(state.tries).toBe(3);
    judged.end();
  });

  it('that an earlier master stored are written with others, and cost no write of their own', async () => {
    const { judged, state, names, pass } = storeOf();
    for (let i = 0; i < 20_000; i += 1) judged.note(`web-${i}`, true);
    await pass(10 * JUDGED_MAX_WAIT_MS);
    expect(state.tries).toBe(0);
    judged.note('web-20000', false);
    await pass(2 * JUDGED_MAX_WAIT_MS);
    expect(state.tries).toBe(1);
    expect(names().length).toBeGreaterThan(400);
    expect(names()).toContain('web-20000');
    judged.end();
  });

  it('are stored with backoff when the store fails', async () => {
    const { judged, state, names, pass } = storeOf();
    state.isDown = true;
    judged.note('web-1', false);
    await pass(60_000);
    expect(state.tries).toBeGreaterThan(1);
    expect(state.tries).toBeLessThan(15);
    state.isDown = false;
    await pass(60_000);
    expect(names()).toEqual(['web-1']);
    judged.end();
  });

  it('are not stored by a master that no longer watches, until it watches again', async () => {
    const { judged, begin, state, names, pass } = storeOf();
    judged.note('web-1', false);
    judged.end();
    judged.note('web-2', false);
    await pass(60_000);
    expect(state.tries).toBe(0);
    begin();
    judged.note('web-3', false);
    await pass(60_000);
    expect(names()).toEqual(['web-3']);
    judged.end();
  });
});
