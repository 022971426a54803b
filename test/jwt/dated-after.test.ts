import { describe, expect, it } from 'vitest';
import { datedAfter } from '../../src/jwt/dated-after.js';

const NOW = 1_800_000_000;
const TEN_YEARS = 10 * 366 * 86_400;
const publicKey = 'UA';

describe('JWTs that a revocation of everyone does not cover by its time', () => {
  it.each([
    ['one dated ahead of the clock, when that is now', NOW, { issuedAt: NOW + 600 }, NOW + 600],
    ['one dated years ahead, when that is now', NOW - 100, { issuedAt: NOW + TEN_YEARS }, NOW + TEN_YEARS],
    ['one that was in use by then', NOW - 3_600, { issuedAt: NOW - 60, usedSince: NOW - 4_000 }, NOW - 60],
    [
      'one that was in use by then and cannot be read, for good',
      NOW - 3_600,
      { issuedAt: undefined, usedSince: NOW - 4_000 },
      Number.MAX_SAFE_INTEGER,
    ],
  ])('are revoked by key: %s', (_what, time, jwt, upTo) => {
    const { keys, undecided } = datedAfter([{ publicKey, ...jwt }], time, NOW);
    expect([...keys]).toEqual([[publicKey, upTo]]);
    expect(undecided).toEqual([]);
  });

  it.each([
    ['one that is covered', NOW, { issuedAt: NOW }],
    ['one that was issued between the time and now', NOW - 3_600, { issuedAt: NOW - 60 }],
    ['one that came with a later connection', NOW - 3_600, { issuedAt: NOW - 60, usedSince: NOW - 30 }],
  ])('are left alone: %s', (_what, time, jwt) => {
    const { keys, undecided } = datedAfter([{ publicKey, ...jwt }], time, NOW);
    expect([...keys]).toEqual([]);
    expect(undecided).toEqual([]);
  });

  it('are named once each if their issue time is unknown', () => {
    const known = [600, 900, 300].map((ahead) => ({ publicKey, issuedAt: NOW + ahead }));
    expect(datedAfter(known, NOW - 3_600, NOW)).toEqual({
      keys: new Map(),
      undecided: [{ publicKey, issuedAt: NOW + 900 }],
    });
    const used = { publicKey, issuedAt: NOW + 300, usedSince: NOW - 4_000 };
    expect(datedAfter([...known, used], NOW - 3_600, NOW).undecided).toEqual([]);
  });
});
