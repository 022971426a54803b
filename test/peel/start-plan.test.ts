import { describe, expect, it } from 'vitest';
import { ConnectError, CredsError, type ConnectErrorCode } from '../../src/errors.js';
import { afterFailedStart, afterNotice, type FailedStart } from '../../src/peel/start-plan.js';

const failure = (code: ConnectErrorCode) => new ConnectError(code, 'no');

describe('a first connection that fails', () => {
  const plan = (error: unknown, more: Partial<FailedStart> = {}) =>
    afterFailedStart({ error, waitOnFirstConnect: true, failures: 1, windowMs: 2_000, random: 1, ...more });

  it.each(['ERR_CONNECT_UNREACHABLE', 'ERR_CONNECT_CERTIFICATE', 'ERR_CONNECT_NO_TLS'] as const)(
    'with %s is tried again within a window that doubles',
    (code) => {
      expect(plan(failure(code))).toEqual({ retryInMs: 2_000, mayBeUntimely: false });
      expect(plan(failure(code), { random: 0.25 }).retryInMs).toBe(500);
      expect(plan(failure(code), { failures: 3 }).retryInMs).toBe(8_000);
      expect(plan(failure(code), { windowMs: 60_000 }).retryInMs).toBe(60_000);
    },
  );

  it('because the credentials are refused is tried again after about a quarter of a minute', () => {
    const refused = failure('ERR_CONNECT_REFUSED');
    expect(plan(refused, { random: 0.5 })).toEqual({ retryInMs: 15_000, mayBeUntimely: true });
  });

  it('because the credentials are not valid yet is tried again likewise, unless it is not to wait', () => {
    const early = new CredsError('ERR_CREDS_NOT_YET_VALID', 'a.creds', 'wait');
    expect(plan(early, { random: 0.5 })).toEqual({ retryInMs: 15_000, mayBeUntimely: false });
    expect(plan(early, { waitOnFirstConnect: false }).retryInMs).toBeUndefined();
  });

  it.each([
    failure('ERR_CONNECT_OPTIONS'),
    failure('ERR_CONNECT_URL'),
    failure('ERR_CONNECT_NO_SERVERS'),
    failure('ERR_CONNECT_PLAIN'),
    failure('ERR_CONNECT_TLS_FILE'),
    new CredsError('ERR_CREDS_EXPIRED', 'a.creds', 'over'),
    new TypeError('a fault of the program'),
  ])('with a permanent error ends the start: %s', (error) => {
    expect(plan(error).retryInMs).toBeUndefined();
  });

  it('ends the start when it is not to wait', () => {
    expect(plan(failure('ERR_CONNECT_UNREACHABLE'), { waitOnFirstConnect: false }).retryInMs).toBeUndefined();
  });
});

describe('a notice of a master', () => {
  const rotate = { kind: 'rotate', peelId: 'web-01', at: '2026-01-02T00:00:00.000Z' } as const;
  const follow = { verdict: 'follow' } as const;

  it('to rotate is followed once', () => {
    expect(afterNotice(rotate, follow, '')).toEqual({ do: 'rotate', at: rotate.at });
    expect(afterNotice(rotate, follow, rotate.at)).toEqual({ do: 'nothing' });
  });

  it('that the peel is revoked ends it, with the reason', () => {
    const ended = { ...rotate, kind: 'ended', code: 'ERR_FLEET_REVOKED', reason: 'stolen' } as const;
    expect(afterNotice(ended, follow, '')).toMatchObject({
      do: 'end',
      error: { code: 'ERR_FLEET_REVOKED', final: true, message: 'the peel "web-01" is revoked (stolen)' },
    });
  });

  it('about another key is ignored, and a replay is reported', () => {
    expect(afterNotice(rotate, { verdict: 'pass' }, '')).toEqual({ do: 'nothing' });
    expect(afterNotice(rotate, { verdict: 'refuse', why: 'has no time' }, '')).toMatchObject({
      do: 'report',
      error: { code: 'ERR_FLEET_ANSWER' },
    });
  });
});
