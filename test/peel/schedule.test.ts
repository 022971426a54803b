import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerTimeout, pauseAfterOutage, renewalAt, retryPause } from '../../src/peel/schedule.js';

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const lifetime = fc.integer({ min: 1_000, max: 400 * 86_400_000 });
const issuedAt = fc.integer({ min: 0, max: 4_000_000_000_000 });

describe('a renewal', () => {
  it('is due at two thirds of the lifetime, five hundredths of it earlier or later', () => {
    fc.assert(
      fc.property(issuedAt, lifetime, unit, (issued, life, random) => {
        const share = (renewalAt({ issuedAt: issued, expiresAt: issued + life }, random) - issued) / life;
        expect(share).toBeGreaterThan(2 / 3 - 0.0501);
        expect(share).toBeLessThan(2 / 3 + 0.0501);
      }),
    );
  });

  it('of a fleet that was issued at once is spread out', () => {
    const of = (random: number) => renewalAt({ issuedAt: 0, expiresAt: 86_400_000 }, random);
    // a day: more than two hours between the first and the last
    expect(of(1) - of(0)).toBeGreaterThan(2 * 3_600_000);
  });

  it('is never due for a credential without end', () => {
    expect(renewalAt({ issuedAt: 0, expiresAt: undefined }, 0.5)).toBe(Infinity);
  });
});

describe('the pause after a failure', () => {
  /** How many attempts there are in the last third of a lifetime when each fails at once, and when the first are. */
  function attempts(life: number, random: () => number): number[] {
    const times: number[] = [];
    let at = (life * 2) / 3;
    for (let failures = 1; at < life; failures += 1) {
      times.push(at);
      at += retryPause(failures, life - at, life, random());
    }
    return times;
  }

  it('leaves room for many attempts before the expiry, for any lifetime', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5_000, max: 86_400_000 * 30 }), unit, (life, random) => {
        expect(attempts(life, () => random).length).toBeGreaterThanOrEqual(8);
      }),
    );
  });

  it('with a lifetime of 10 s is a fraction of a second', () => {
    const times = attempts(10_000, () => 0);
    expect(times.length).toBeGreaterThan(10);
    for (const [i, time] of times.slice(1).entries()) expect(time - (times[i] ?? 0)).toBeLessThan(500);
  });

  it('with a lifetime of a day does not hammer the masters', () => {
    const times = attempts(86_400_000, () => 1);
    expect(times.length).toBeLessThan(400);
    for (const [i, time] of times.slice(1).entries()) {
      if (time < 86_400_000 - 60_000) expect(time - (times[i] ?? 0)).toBeGreaterThan(2_000);
    }
  });

  it('is always more than zero and at most five minutes, even after expiry or without one', () => {
    const remaining = fc.oneof(fc.integer({ min: -86_400_000, max: 86_400_000 }), fc.constant(Infinity));
    const life = fc.oneof(lifetime, fc.constant(Infinity));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        remaining,
        life,
        unit,
        (failures, left, whole, random) => {
          const pause = retryPause(failures, left, whole, random);
          expect(pause).toBeGreaterThanOrEqual(50);
          expect(pause).toBeLessThanOrEqual(left <= 0 ? 30_000 : 300_000);
        },
      ),
    );
  });
});

describe('the wait for an answer', () => {
  it('is 1 to 10 s, and leaves time for another attempt where there is any', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), (remaining) => {
        const wait = answerTimeout(remaining);
        expect(wait).toBeGreaterThanOrEqual(1_000);
        expect(wait).toBeLessThanOrEqual(10_000);
        if (remaining > 3_000) expect(wait).toBeLessThan(remaining / 2);
      }),
    );
    expect(answerTimeout(Infinity)).toBe(10_000);
  });
});

describe('the pause of a renewal after an outage', () => {
  it('is at most half a minute, and a small part of the remaining lifetime', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (remainingMs, random) => {
          const pause = pauseAfterOutage(remainingMs, random);
          expect(pause).toBeGreaterThanOrEqual(0);
          expect(pause).toBeLessThanOrEqual(Math.min(30_000, Math.max(0, remainingMs / 8)));
        },
      ),
    );
    expect(pauseAfterOutage(Infinity, 1)).toBe(30_000);
    expect(pauseAfterOutage(8_000, 1)).toBe(1_000);
    expect(pauseAfterOutage(-1, 1)).toBe(0);
  });
});
