import { describe, expect, it } from 'vitest';
import { Reading, readingPause } from '../../../src/master/watch/reading.js';
import type { UserConnection } from '../../../src/master/watch/system-events.js';
import { CONNECTIONS_INTERVAL_MS, READING_MAX_PAUSE_MS } from '../../../src/timing.js';

const at = (server: string, cid: number) => ({ server, cid }) as UserConnection;

describe('a list of all connections', () => {
  it('ends connections that it lacks, on servers with a complete list', () => {
    const reading = new Reading();
    const known = [at('S1', 1), at('S1', 2), at('S2', 1)];
    const read = { servers: new Set(['S1']), connections: [at('S1', 2)] };
    expect(reading.gone(read, known)).toEqual([at('S1', 1)]);
  });

  it('yields to events that arrive while it is read', () => {
    const reading = new Reading();
    reading.connected(at('S1', 3));
    reading.disconnected(at('S1', 2));
    const read = { servers: new Set(['S1']), connections: [at('S1', 2)] };
    expect([1, 2, 3].map((cid) => reading.hasChanged(at('S1', cid)))).toEqual([false, true, true]);
    expect(reading.gone(read, [at('S1', 3)])).toEqual([]);
  });
});

describe('the pause before the next reading', () => {
  it('is a fixed interval, and longer if a scan takes long', () => {
    expect(readingPause({ tookMs: 100, early: 0, isWanted: false })).toBe(CONNECTIONS_INTERVAL_MS);
    expect(readingPause({ tookMs: 6_000, early: 0, isWanted: false })).toBe(120_000);
  });

  it('is zero if an event may have been lost, and grows if that happens repeatedly', () => {
    const pauses = [0, 1, 2, 3, 20].map((early) => readingPause({ tookMs: 0, early, isWanted: true }));
    expect(pauses).toEqual([0, 500, 1_000, 2_000, READING_MAX_PAUSE_MS]);
  });

  it('leaves at least as much time as the reading took', () => {
    expect(readingPause({ tookMs: 4_000, early: 1, isWanted: true })).toBe(4_000);
  });
});
