import { describe, expect, it } from 'vitest';
import type { Notice } from '../../src/protocol/command.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { judgeNotice } from '../../src/peel/judge-notice.js';
import { NOTICE_MAX_AGE_MS } from '../../src/timing.js';

const NOW = Date.UTC(2030, 0, 1, 12) + 400;
const OWN = generateKeyBundle('user').publicKey;
const OTHER = generateKeyBundle('user').publicKey;
/** A JWT that was issued in the second of NOW. */
const FRESH = { sub: OWN, iat: Math.floor(NOW / 1000) };
const HOUR_OLD = { sub: OWN, iat: Math.floor(NOW / 1000) - 3600 };
const CONFIRMED = { now: NOW, confirmed: true };
const DOUBTFUL = { now: NOW, confirmed: false };

const iso = (ms: number) => new Date(ms).toISOString();
const rotate = (at: string, publicKey?: string): Notice => ({
  kind: 'rotate',
  peelId: 'web-01',
  at,
  ...(publicKey !== undefined && { publicKey }),
});
const ended = (at: string, publicKeys?: string[]): Notice => ({
  kind: 'ended',
  peelId: 'web-01',
  code: 'ERR_FLEET_REVOKED',
  at,
  ...(publicKeys && { publicKeys }),
});
const verdict = (...args: Parameters<typeof judgeNotice>) => judgeNotice(...args).verdict;

describe('a notice to rotate', () => {
  it('is followed for the key in use, within the second in which its JWT was issued too', () => {
    expect(verdict(rotate(iso(NOW), OWN), FRESH, CONFIRMED)).toBe('follow');
    expect(verdict(rotate(iso(FRESH.iat * 1000), OWN), FRESH, DOUBTFUL)).toBe('follow');
  });

  it('is refused for any other key, at any time', () => {
    for (const time of [CONFIRMED, DOUBTFUL]) {
      expect(verdict(rotate(iso(NOW), OTHER), HOUR_OLD, time)).toBe('refuse');
    }
  });

  it('is refused when it is further from the time than five minutes', () => {
    for (const off of [-NOTICE_MAX_AGE_MS - 1, NOTICE_MAX_AGE_MS + 1]) {
      expect(verdict(rotate(iso(NOW + off), OWN), HOUR_OLD, CONFIRMED)).toBe('refuse');
    }
    for (const off of [-NOTICE_MAX_AGE_MS, NOTICE_MAX_AGE_MS]) {
      expect(verdict(rotate(iso(NOW + off), OWN), HOUR_OLD, CONFIRMED)).toBe('follow');
    }
  });

  it('that names the key in use is followed however far an unconfirmed clock is off', () => {
    expect(verdict(rotate(iso(NOW - 3_600_000), OWN), HOUR_OLD, DOUBTFUL)).toBe('follow');
    expect(verdict(rotate(iso(NOW - 3_600_000), OTHER), HOUR_OLD, DOUBTFUL)).toBe('refuse');
    expect(verdict(rotate(iso(NOW + 3_600_000), OWN), HOUR_OLD, DOUBTFUL)).toBe('follow');
  });

  it('of an older master, without a key, must not be older than the JWT in use, in whole seconds', () => {
    expect(verdict(rotate(iso(FRESH.iat * 1000)), FRESH, CONFIRMED)).toBe('follow');
    expect(verdict(rotate(iso(FRESH.iat * 1000 - 1)), FRESH, CONFIRMED)).toBe('refuse');
    expect(verdict(rotate(iso(FRESH.iat * 1000 - 1)), FRESH, DOUBTFUL)).toBe('refuse');
  });

  it('without a time that can be read is refused', () => {
    expect(verdict(rotate('soon', OWN), FRESH, CONFIRMED)).toBe('refuse');
  });
});

describe('an end notice', () => {
  it('is followed for all keys, and for named ones', () => {
    expect(verdict(ended(iso(NOW)), FRESH, CONFIRMED)).toBe('follow');
    expect(verdict(ended(iso(NOW), [OTHER, OWN]), FRESH, CONFIRMED)).toBe('follow');
    expect(verdict(ended(iso(NOW), [OTHER]), FRESH, CONFIRMED)).toBe('pass');
  });

  it('from before the JWT in use is about an earlier one, whichever keys it names', () => {
    const before = iso(FRESH.iat * 1000 - 1);
    expect(verdict(ended(before), FRESH, CONFIRMED)).toBe('pass');
    expect(verdict(ended(before, [OWN]), FRESH, CONFIRMED)).toBe('pass');
  });

  it('that is old by a confirmed clock is refused, and believed by one in doubt', () => {
    const old = ended(iso(NOW - NOTICE_MAX_AGE_MS - 1));
    expect(verdict(old, HOUR_OLD, CONFIRMED)).toBe('refuse');
    expect(verdict(old, HOUR_OLD, DOUBTFUL)).toBe('follow');
  });
});
