import { describe, expect, it } from 'vitest';
import { ConnectError, CredsError, type ConnectErrorCode } from '../../src/errors.js';
import { afterFailedStart, afterNotice } from '../../src/peel/start-plan.js';

const failure = (code: ConnectErrorCode) => new ConnectError(code, 'no');

describe('a first connection that fails', () => {
  it.each(['ERR_CONNECT_UNREACHABLE', 'ERR_CONNECT_CERTIFICATE', 'ERR_CONNECT_NO_TLS'] as const)(
    'with %s is tried again after about two seconds',
    (code) => {
      expect(afterFailedStart(failure(code), true, 0)).toEqual({ retryInMs: 1_500, mayBeExpired: false });
      expect(afterFailedStart(failure(code), true, 1).retryInMs).toBe(2_500);
    },
  );

  it('because the credentials are refused is tried again after about a quarter of a minute', () => {
    const refused = failure('ERR_CONNECT_REFUSED');
    expect(afterFailedStart(refused, true, 0.5)).toEqual({ retryInMs: 15_000, mayBeExpired: true });
  });

  it.each([
    failure('ERR_CONNECT_OPTIONS'),
    failure('ERR_CONNECT_URL'),
    failure('ERR_CONNECT_NO_SERVERS'),
    failure('ERR_CONNECT_PLAIN'),
    failure('ERR_CONNECT_TLS_FILE'),
    new CredsError('ERR_CREDS_EXPIRED', 'a.creds', 'over'),
    new TypeError('a fault of the program'),
  ])('with what can never work ends the start: %s', (error) => {
    expect(afterFailedStart(error, true, 0).retryInMs).toBeUndefined();
  });

  it('ends the start when it is not to wait', () => {
    expect(afterFailedStart(failure('ERR_CONNECT_UNREACHABLE'), false, 0).retryInMs).toBeUndefined();
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

  it('about another key is nothing, and one that was sent again is reported', () => {
    expect(afterNotice(rotate, { verdict: 'pass' }, '')).toEqual({ do: 'nothing' });
    expect(afterNotice(rotate, { verdict: 'refuse', why: 'has no time' }, '')).toMatchObject({
      do: 'report',
      error: { code: 'ERR_FLEET_ANSWER' },
    });
  });
});
