import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failuresAfterLoss, longestWait, spreadWait } from '../../src/connection/reconnect-spread.js';
import { RECONNECT_MAX_WAIT_MS, RECONNECT_WAIT_MS } from '../../src/timing.js';

const failures = fc.nat(100);
const windowMs = fc.integer({ min: 1, max: 10 * 60_000 });
const random = fc.double({ min: 0, max: 1, noNaN: true });

describe('the wait of a peel before it reconnects', () => {
  it('is at most 2 s at first, and doubles with each failure up to 30 s', () => {
    const waits = [0, 1, 2, 3, 4, 5, 50].map((count) => longestWait(count, RECONNECT_WAIT_MS));
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('is between zero and the longest wait', () => {
    fc.assert(
      fc.property(failures, windowMs, random, (count, window, share) => {
        const wait = spreadWait(count, window, share);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(longestWait(count, window));
        expect(spreadWait(count, window, 0)).toBe(0);
        expect(spreadWait(count, window, 1)).toBe(longestWait(count, window));
      }),
    );
  });

  it('is never shorter after more failures, and never longer than 30 s or the window', () => {
    fc.assert(
      fc.property(failures, windowMs, (count, window) => {
        expect(longestWait(0, window)).toBe(window);
        expect(longestWait(count + 1, window)).toBeGreaterThanOrEqual(longestWait(count, window));
        expect(longestWait(count, window)).toBeLessThanOrEqual(Math.max(window, RECONNECT_MAX_WAIT_MS));
      }),
    );
  });

  it('spreads a fleet evenly over the window', () => {
    const peels = 10_000;
    const perTenth = new Array<number>(10).fill(0);
    for (let i = 0; i < peels; i++) {
      const wait = spreadWait(0, 2_000, (i + 0.5) / peels);
      perTenth[Math.floor(wait / 200)] = (perTenth[Math.floor(wait / 200)] ?? 0) + 1;
    }
    expect(perTenth).toEqual(new Array(10).fill(peels / 10));
  });
});

describe('a connection that is lost', () => {
  it('resets the window if it lasted, and counts as another failure if it did not', () => {
    expect(failuresAfterLoss(0, 2_000, 60_000)).toBe(0);
    expect(failuresAfterLoss(0, 2_000, 100)).toBe(1);
    expect(failuresAfterLoss(4, 2_000, 29_999)).toBe(5);
    expect(failuresAfterLoss(4, 2_000, 30_000)).toBe(0);
  });

  it('is dialled less and less often if the server drops it at once', () => {
    fc.assert(
      fc.property(failures, windowMs, (count, window) => {
        expect(failuresAfterLoss(count, window, 0)).toBe(count + 1);
      }),
    );
  });
});
