import { describe, expect, it } from 'vitest';
import { ConnectError, CredsError, FleetError } from '../../src/errors.js';
import { afterStartRecovery, recoveryEvent } from '../../src/peel/after-recovery.js';
import { mayHaveExpired, recoveryPause, type RecoveryResult } from '../../src/peel/recovery-plan.js';
import {
  RECOVERY_FIRST_RETRY_MS,
  RECOVERY_MAX_IDLE_RETRY_MS,
  RECOVERY_MAX_RETRY_MS,
} from '../../src/timing.js';

const refused = new FleetError('ERR_FLEET_RECOVERY', 'the peel "web-01" is revoked');
const noMaster = new FleetError('ERR_FLEET_NO_MASTER', 'no master answers');

describe('a starting peel that has tried to recover', () => {
  it.each(['recovered', 'replaced'] as const)('connects with the new credentials: %s', (result) => {
    expect(afterStartRecovery(result, undefined, false)).toBe('connect');
  });

  it.each(['ERR_FLEET_RECOVERY', 'ERR_FLEET_KEY_UNKNOWN'] as const)(
    'fails with a refusal that only a person can change: %s',
    (code) => {
      for (const waits of [true, false])
        expect(afterStartRecovery('failed', new FleetError(code, 'no'), waits)).toBe('fail');
    },
  );

  it.each(['pending', 'notExpired', 'failed'] as const)(
    'waits and retries if it is to wait: %s',
    (result) => {
      expect(afterStartRecovery(result, noMaster, true)).toBe('wait');
      expect(afterStartRecovery(result, noMaster, false)).toBe('goOn');
    },
  );

  it('handles its error as usual without a recovery credential', () => {
    expect(afterStartRecovery('unavailable', undefined, true)).toBe('goOn');
  });
});

describe('the event of an attempt to recover', () => {
  it('shows the fingerprint that an admin has to accept', () => {
    const event = { type: 'recoveryPending', fingerprint: '5b1f-09aa', retryInMs: 500 };
    expect(recoveryEvent('pending', '5b1f-09aa', 500)).toEqual(event);
  });

  it('is a failure, or a wait if a master reports that the credential is valid', () => {
    const event = { error: refused, retryInMs: 500 };
    expect(recoveryEvent('failed', refused, 500)).toEqual({ type: 'recoveryFailed', ...event });
    expect(recoveryEvent('notExpired', refused, 500)).toEqual({ type: 'waiting', ...event });
  });

  it('is omitted without a reason', () => {
    expect(recoveryEvent('failed', undefined, 500)).toBeUndefined();
  });
});

describe('a credential may have expired', () => {
  it.each([
    [new CredsError('ERR_CREDS_EXPIRED', 'web-01.creds', 'expired'), true],
    [new ConnectError('ERR_CONNECT_REFUSED', 'refused'), true],
    [new ConnectError('ERR_CONNECT_UNREACHABLE', 'no server'), false],
    [new CredsError('ERR_CREDS_FORMAT', 'web-01.creds', 'torn'), false],
    [new Error('anything'), false],
  ] as const)('after the error %s: %s', (error, may) => {
    expect(mayHaveExpired(error)).toBe(may);
  });
});

describe('the pause before the next attempt to recover', () => {
  const longest = (result: RecoveryResult, attempts: number) => recoveryPause(result, attempts, 1);

  it('doubles up to its maximum, which is longer once a master has answered', () => {
    expect(longest('failed', 1)).toBe(RECOVERY_FIRST_RETRY_MS);
    expect(longest('failed', 2)).toBe(2 * RECOVERY_FIRST_RETRY_MS);
    expect(longest('failed', 1_000)).toBe(RECOVERY_MAX_RETRY_MS);
    expect(longest('pending', 1_000)).toBe(RECOVERY_MAX_IDLE_RETRY_MS);
    expect(longest('notExpired', 1_000)).toBe(RECOVERY_MAX_IDLE_RETRY_MS);
  });

  it('is at least half of that, at random, so that a fleet spreads', () => {
    expect(recoveryPause('failed', 2, 0)).toBe(RECOVERY_FIRST_RETRY_MS);
    expect(recoveryPause('failed', 2, 0.5)).toBe(1.5 * RECOVERY_FIRST_RETRY_MS);
  });
});
