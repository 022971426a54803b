import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectError, FleetError, SubjectError } from '../../src/errors.js';
import type { PeelEvent } from '../../src/peel/events.js';
import { firstConnect, type FirstConnectOptions } from '../../src/peel/first-connect.js';
import type { RecoveryAttempt } from '../../src/peel/recover-once.js';
import { newCreds } from './credentials.js';
import { refusal } from '../support/refusal.js';

const NOON = Date.UTC(2030, 0, 1, 12);
const HOUR = 3_600_000;
const unreachable = new ConnectError('ERR_CONNECT_UNREACHABLE', 'no server');
const refused = new ConnectError('ERR_CONNECT_REFUSED', 'authorization violation');
const noRecovery: RecoveryAttempt = { result: 'unavailable' };

beforeEach(() => void vi.useFakeTimers({ now: NOON }));
afterEach(() => void vi.useRealTimers());

/** Connects; the attempts fail with these errors, and then one succeeds. */
function connecting(
  failures: Error[],
  {
    recoveries = [],
    ...given
  }: Partial<FirstConnectOptions<string>> & { recoveries?: RecoveryAttempt[] } = {},
) {
  const events: PeelEvent[] = [];
  const logged: PeelEvent[] = [];
  const creds = newCreds(NOON - HOUR / 2);
  const state = { attempts: 0, recoveries: 0 };
  const connected = firstConnect({
    open: async () => {
      state.attempts += 1;
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return 'connected';
    },
    recover: async () => {
      state.recoveries += 1;
      return recoveries.shift() ?? noRecovery;
    },
    load: async () => creds,
    localTime: Date.now,
    emit: (event, isLogged = true) => {
      events.push(event);
      if (isLogged) logged.push(event);
    },
    waitOnFirstConnect: true,
    windowMs: 2_000,
    signal: undefined,
    ...given,
  });
  connected.catch(() => undefined);
  const types = () => events.map(({ type }) => type);
  /** Its result, once all its waits are over. */
  const result = async () => {
    await vi.advanceTimersByTimeAsync(HOUR / 4);
    return connected;
  };
  return { connected, result, state, events, logged, types };
}

describe('the first connect of a peel', () => {
  it('is retried until a server is there, and each wait is reported', async () => {
    const { result, state, types } = connecting([unreachable, unreachable]);
    expect(await result()).toBe('connected');
    expect(state).toEqual({ attempts: 3, recoveries: 0 });
    expect(types()).toEqual(['waiting', 'waiting']);
  });

  it('fails at once if it is not to wait', async () => {
    const { result, types } = connecting([unreachable], { waitOnFirstConnect: false });
    await refusal('ERR_CONNECT_UNREACHABLE', result);
    expect(types()).toEqual([]);
  });

  it.each([
    new ConnectError('ERR_CONNECT_URL', 'no URL'),
    new SubjectError('a subject with a space'),
    new FleetError('ERR_FLEET_STATE', 'something else'),
  ])('fails with an error that no wait corrects: $code', async (error) => {
    await refusal(error.code, connecting([error]).result);
  });

  it('ends when it is aborted, also while it waits', async () => {
    const stop = new AbortController();
    const { connected, state } = connecting([unreachable], { signal: stop.signal });
    await vi.advanceTimersByTimeAsync(0);
    stop.abort(new Error('no longer needed'));
    await expect(connected).rejects.toThrow('no longer needed');
    expect(state.attempts).toBe(1);
    await expect(connecting([], { signal: stop.signal }).connected).rejects.toThrow('no longer needed');
  });

  it('logs a repeated refusal less often than it reports it', async () => {
    const { result, events, logged } = connecting(Array.from({ length: 10 }, () => refused));
    expect(await result()).toBe('connected');
    expect(events).toHaveLength(10);
    expect(logged.length).toBeLessThan(10);
  });
});

describe('the first connect with credentials that a server refuses', () => {
  it.each(['recovered', 'replaced'] as const)('continues at once with new ones: %s', async (result) => {
    const { connected, state, types } = connecting([refused], { recoveries: [{ result }] });
    expect(await connected).toBe('connected');
    expect(state).toEqual({ attempts: 2, recoveries: 1 });
    expect(types()).toEqual([]);
  });

  it('waits for the admin who has to accept the peel', async () => {
    const pending: RecoveryAttempt = { result: 'pending', cause: '5b1f-09aa' };
    const { result, events, types } = connecting([refused, refused, refused], {
      recoveries: [pending, pending, { result: 'recovered' }],
    });
    expect(await result()).toBe('connected');
    expect(types()).toEqual(['recoveryPending', 'recoveryPending']);
    expect(events[0]).toMatchObject({ fingerprint: '5b1f-09aa' });
  });

  it('waits for a master', async () => {
    const cause = new FleetError('ERR_FLEET_NO_MASTER', 'no master answers');
    const { result, events } = connecting([refused, refused], {
      recoveries: [{ result: 'failed', cause }, { result: 'recovered' }],
    });
    expect(await result()).toBe('connected');
    expect(events).toMatchObject([{ type: 'recoveryFailed', error: cause }]);
  });

  it('reports the refusal while a master says that the credential is valid', async () => {
    const { result, events } = connecting([refused], { recoveries: [{ result: 'notExpired' }] });
    expect(await result()).toBe('connected');
    expect(events).toMatchObject([{ type: 'waiting', error: refused }]);
  });

  it('fails with a refusal that only a person can change', async () => {
    const cause = new FleetError('ERR_FLEET_RECOVERY', 'no recovery any more');
    const { result } = connecting([refused], { recoveries: [{ result: 'failed', cause }] });
    await refusal('ERR_FLEET_RECOVERY', result);
  });

  it('fails if a master ends the peel', async () => {
    const recover = () => Promise.reject(new FleetError('ERR_FLEET_REVOKED', 'revoked', { final: true }));
    await refusal('ERR_FLEET_REVOKED', connecting([refused], { recover }).result);
  });

  it('is retried without a recovery credential, since somebody may replace the file', async () => {
    const { result, types } = connecting([refused]);
    expect(await result()).toBe('connected');
    expect(types()).toEqual(['waiting']);
  });

  it('says from when they are valid, if they are not yet, and waits', async () => {
    const creds = newCreds(NOON, { notBefore: NOON / 1000 + 30 });
    const { result, events } = connecting([refused, refused], { load: async () => creds });
    expect(await result()).toBe('connected');
    expect(events[0]).toMatchObject({ type: 'waiting', error: { code: 'ERR_CREDS_NOT_YET_VALID' } });
    vi.setSystemTime(NOON);
    const failing = connecting([refused], { load: async () => creds, waitOnFirstConnect: false });
    const { message } = await refusal('ERR_CREDS_NOT_YET_VALID', () => failing.connected);
    expect(message).toContain('2030-01-01T12:00:30.000Z');
  });

  it('fails without a recovery credential if they have expired by this machine’s clock, too', async () => {
    const creds = newCreds(NOON - 2 * HOUR);
    await refusal('ERR_CREDS_EXPIRED', connecting([refused], { load: async () => creds }).result);
  });
});
