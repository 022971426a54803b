import { describe, expect, it } from 'vitest';
import { breakerStep, CLOSED, type BreakerState } from '../../../src/master/revocation/breaker.js';

const ids = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `web-${from + i}`);
const revoking = (state: BreakerState, peelIds: string[], at = 0, healthy = 100) =>
  breakerStep(state, { kind: 'revoking', peelIds, healthy, at });

describe('the breaker of revocations', () => {
  it('lets a few healthy peels be revoked, and holds more at once', () => {
    expect(revoking(CLOSED, ids(3)).act).toBe('revoke');
    expect(revoking(CLOSED, ids(4))).toMatchObject({ act: 'hold', state: { open: true } });
  });

  it('sums events of the last minute, and forgets older ones', () => {
    const { state } = revoking(CLOSED, ids(3), 0);
    expect(revoking(state, ids(1, 3), 59_000).act).toBe('hold');
    expect(revoking(state, ids(1, 3), 60_000).act).toBe('revoke');
  });

  it('counts a peel once', () => {
    const { state } = revoking(CLOSED, ids(3), 0);
    expect(revoking(state, ids(3), 1).act).toBe('revoke');
  });

  it('allows two in a hundred of a large fleet', () => {
    expect(revoking(CLOSED, ids(20), 0, 1_000).act).toBe('revoke');
    expect(revoking(CLOSED, ids(21), 0, 1_000).act).toBe('hold');
  });

  it('holds everything healthy while it is open', () => {
    const { state } = revoking(CLOSED, ids(4));
    expect(revoking(state, ids(1, 9), 1_000_000).act).toBe('hold');
  });

  it('closes when the cause is gone, and revokes when an admin resumes', () => {
    const { state } = revoking(CLOSED, ids(4));
    expect(breakerStep(state, { kind: 'cause-gone' })).toEqual({ state: CLOSED, act: 'hold' });
    expect(breakerStep(state, { kind: 'resumed' })).toEqual({ state: CLOSED, act: 'revoke' });
  });

  it('can be set', () => {
    const limits = { peels: 0, share: 0, windowMs: 1_000 };
    expect(breakerStep(CLOSED, { kind: 'revoking', peelIds: ['a'], healthy: 1, at: 0 }, limits).act).toBe(
      'hold',
    );
  });
});
