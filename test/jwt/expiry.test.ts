import { describe, expect, it } from 'vitest';
import { expirySeconds, expiryTime, hasExpired } from '../../src/jwt/expiry.js';

describe('the expiry of a JWT', () => {
  it.each([[{}], [{ exp: 0 }], [{ exp: undefined }]])('is never, of %j', (claims) => {
    expect(expirySeconds(claims)).toBeUndefined();
    expect(expiryTime(claims)).toBeUndefined();
    expect(hasExpired(claims, Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  it('is in seconds in the claims, and in milliseconds where clocks are compared', () => {
    expect(expirySeconds({ exp: 1_800_000_000 })).toBe(1_800_000_000);
    expect(expiryTime({ exp: 1_800_000_000 })).toBe(1_800_000_000_000);
  });

  it.each([
    [99_999, false],
    [100_000, true],
    [100_001, true],
  ])('of second 100, at %i ms: expired is %j', (now, expired) => {
    expect(hasExpired({ exp: 100 }, now)).toBe(expired);
  });
});
