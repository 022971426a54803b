import { describe, expect, it } from 'vitest';
import { isNotYetValid, startTime } from '../../src/jwt/not-before.js';

describe('the start of a JWT', () => {
  it.each([[{}], [{ nbf: 0 }], [{ nbf: undefined }]])('has always passed, of %j', (claims) => {
    expect(startTime(claims)).toBe(0);
    expect(isNotYetValid(claims, 0)).toBe(false);
  });

  it('is in seconds in the claims, and in milliseconds where clocks are compared', () => {
    expect(startTime({ nbf: 1_800_000_000 })).toBe(1_800_000_000_000);
  });

  it.each([
    [99_999, true],
    [100_000, false],
    [100_001, false],
  ])('in second 100, at %i ms: not yet valid is %j', (now, early) => {
    expect(isNotYetValid({ nbf: 100 }, now)).toBe(early);
  });
});
