import { describe, expect, it } from 'vitest';
import { asksToRecover, type RefusedPeel } from '../../src/peel/recovery-plan.js';
import { RECOVERY_CLOCK_DOUBT_MS } from '../../src/timing.js';

const NOW = Date.UTC(2030, 0, 1, 12);
const valid: RefusedPeel = {
  renews: true,
  expiresAt: NOW + RECOVERY_CLOCK_DOUBT_MS + 1,
  now: NOW,
  confirmed: true,
};
/** The attempts, of the first eight, at which a peel asks. */
const asksAt = (peel: RefusedPeel) => [1, 2, 3, 4, 5, 6, 7, 8].filter((n) => asksToRecover(n, peel));
const ALWAYS = [1, 2, 3, 4, 5, 6, 7, 8];

describe('a running peel that a server refuses', () => {
  it('asks to recover at each attempt once its credential has expired, or may have', () => {
    expect(asksAt({ ...valid, expiresAt: NOW })).toEqual(ALWAYS);
    expect(asksAt({ ...valid, expiresAt: NOW + RECOVERY_CLOCK_DOUBT_MS })).toEqual(ALWAYS);
  });

  it('asks at each attempt while no master has confirmed the time', () => {
    expect(asksAt({ ...valid, confirmed: false })).toEqual(ALWAYS);
  });

  it('asks at each attempt if it has not begun to renew', () => {
    expect(asksAt({ ...valid, renews: false })).toEqual(ALWAYS);
  });

  it('asks now and then with a valid credential, since its signing key may have been removed', () => {
    expect(asksAt(valid)).toEqual([4, 8]);
    expect(asksAt({ ...valid, expiresAt: undefined })).toEqual([4, 8]);
  });
});
