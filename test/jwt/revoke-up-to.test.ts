import { CLOCK_ALLOWANCE_SECONDS } from '../../src/timing.js';
import { describe, expect, it } from 'vitest';
import { LATEST_SECONDS } from '../../src/jwt/latest-seconds.js';
import { PERMANENT, isIssuedAhead, issueAfter, revokeUpTo } from '../../src/jwt/revoke-up-to.js';

const NOW = 1_800_000_000;

describe('up to when a key is revoked', () => {
  it.each([
    ['now, when its only JWT is older', { issuedAt: [NOW - 60], complete: true }, NOW],
    ['when its JWT was issued, when that is ahead', { issuedAt: [NOW + 300], complete: true }, NOW + 300],
    ['the latest of several', { issuedAt: [NOW, NOW + 900, NOW + 60], complete: true }, NOW + 900],
    ['now, when no JWT was ever issued for it', { issuedAt: [], complete: true }, NOW],
    [
      'a margin after now, when it may have been renewed elsewhere',
      { issuedAt: [NOW - 60], complete: false },
      NOW + CLOCK_ALLOWANCE_SECONDS,
    ],
    [
      'when issued, when that is beyond the margin',
      { issuedAt: [NOW + 3_600], complete: false },
      NOW + 3_600,
    ],
    ['for good, when nothing is known of it', { issuedAt: [], complete: false }, PERMANENT],
    [
      'beyond every date, when a JWT of it cannot be read',
      { issuedAt: [NOW, undefined], complete: true },
      Number.MAX_SAFE_INTEGER,
    ],
    [
      'the latest time that servers know, when a JWT is dated so late',
      { issuedAt: [undefined, LATEST_SECONDS], complete: false },
      LATEST_SECONDS,
    ],
  ])('is %s', (_what, known, expected) => {
    expect(revokeUpTo(NOW, known)).toBe(expected);
  });

  it('uses a date that every tool can print for permanent revocations', () => {
    expect(new Date(PERMANENT * 1000).toISOString()).toBe('9999-12-31T23:59:59.000Z');
  });
});

describe('a JWT that claims to be issued after it was used', () => {
  it('is one beyond the clock allowance', () => {
    expect(isIssuedAhead(NOW + CLOCK_ALLOWANCE_SECONDS, NOW)).toBe(false);
    expect(isIssuedAhead(NOW + CLOCK_ALLOWANCE_SECONDS + 1, NOW)).toBe(true);
    expect(isIssuedAhead(NOW - 3_600, NOW)).toBe(false);
  });
});

describe('the next JWT', () => {
  it('is issued now, but never before the last one or within a revocation of everyone', () => {
    const now = NOW * 1000 + 250;
    expect(issueAfter(now, {})).toBe(now);
    expect(issueAfter(now, { issuedAt: NOW - 60, revoked: NOW - 60 })).toBe(now);
    expect(issueAfter(now, { issuedAt: NOW + 60 })).toBe((NOW + 60) * 1000);
    expect(issueAfter(now, { revoked: NOW })).toBe((NOW + 1) * 1000);
    expect(issueAfter(now, { issuedAt: NOW + 60, revoked: NOW + 60 })).toBe((NOW + 61) * 1000);
  });
});
