import { describe, expect, it } from 'vitest';
import { decodeUserJwt } from '../../src/jwt/decode.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { TestClock } from '../../src/testing/clock.js';

describe('a test clock', () => {
  it('runs with the machine’s clock, and can be advanced', () => {
    const clock = new TestClock();
    expect(clock.aheadMs).toBe(0);
    clock.advance(3_600_000);
    clock.advance(1_000);
    expect(clock.aheadMs).toBe(3_601_000);
    const before = Date.now();
    const shown = clock.now();
    expect(shown).toBeGreaterThanOrEqual(before + 3_601_000);
    expect(shown).toBeLessThanOrEqual(Date.now() + 3_601_000);
  });

  it('starts at the given time', () => {
    const { now } = new TestClock(new Date('2031-02-03T04:05:06Z'));
    const user = createUserJwt(generateKeyBundle('user'), generateKeyBundle('account'), { name: 'u', now });
    const { iat } = decodeUserJwt(user);
    expect(new Date(iat * 1000).toISOString()).toMatch(/^2031-02-03T04:05/);
  });

  it('notifies its subscribers when it is advanced, until they unsubscribe', () => {
    const clock = new TestClock();
    let calls = 0;
    const unfollow = clock.follow(() => (calls += 1));
    clock.advance(1);
    unfollow();
    clock.advance(1);
    expect(calls).toBe(1);
  });

  it.each([-1, NaN, Infinity])('is not advanced by %s', (ms) => {
    expect(() => new TestClock().advance(ms)).toThrow(RangeError);
  });

  it.each([NaN, new Date('no date')])('does not start at %s', (start) => {
    expect(() => new TestClock(start)).toThrow(RangeError);
  });
});
