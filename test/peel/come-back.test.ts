import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FleetError } from '../../src/errors.js';
import { ComeBack, type ComeBackOptions } from '../../src/peel/come-back.js';
import type { PeelEvent } from '../../src/peel/events.js';
import type { RecoveryAttempt } from '../../src/peel/recover-once.js';

const HOUR = 3_600_000;
const NOON = Date.UTC(2030, 0, 1, 12);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A peel that is down until it has recovered; its attempts have these results. */
function refusedPeel(attempts: (RecoveryAttempt | Error)[], given: Partial<ComeBackOptions> = {}) {
  const events: PeelEvent[] = [];
  const state = { isDown: true, recoveries: 0, ended: undefined as FleetError | undefined };
  const stopping = new AbortController();
  const comeBack = new ComeBack({
    recover: async () => {
      state.recoveries += 1;
      const attempt = attempts.shift() ?? { result: 'recovered' };
      if (attempt instanceof Error) throw attempt;
      if (attempt.result === 'recovered') state.isDown = false;
      return attempt;
    },
    isDown: () => state.isDown,
    known: () => ({ renews: true, expiresAt: NOON - HOUR, now: NOON, confirmed: true }),
    emit: (event) => void events.push(event),
    ended: (error) => void (state.ended = error),
    signal: stopping.signal,
    ...given,
  });
  const types = () => events.map(({ type }) => type);
  return { comeBack, state, events, types, stopping, wait: () => vi.advanceTimersByTimeAsync(HOUR) };
}

describe('a running peel that is refused', () => {
  it('recovers, and reports each attempt that brought nothing', async () => {
    const cause = new FleetError('ERR_FLEET_NO_MASTER', 'no master answers');
    const { comeBack, state, types, wait } = refusedPeel([
      { result: 'failed', cause },
      { result: 'pending', cause: '5b1f-09aa' },
      { result: 'notExpired' },
    ]);
    const done = comeBack.refused();
    await wait();
    await done;
    expect(state).toMatchObject({ isDown: false, recoveries: 4 });
    expect(types()).toEqual(['recoveryFailed', 'recoveryPending']);
  });

  it('makes one attempt at a time, however often it is refused', async () => {
    const { comeBack, state, wait } = refusedPeel([]);
    void comeBack.refused();
    await comeBack.refused();
    await wait();
    expect(state.recoveries).toBe(1);
  });

  it('recovers again when it is refused later', async () => {
    const { comeBack, state, wait } = refusedPeel([]);
    void comeBack.refused();
    await wait();
    state.isDown = true;
    void comeBack.refused();
    await wait();
    expect(state).toMatchObject({ isDown: false, recoveries: 2 });
  });

  it('asks nobody if it has reconnected meanwhile', async () => {
    const { comeBack, state, wait } = refusedPeel([]);
    const done = comeBack.refused();
    state.isDown = false;
    await wait();
    await done;
    expect(state.recoveries).toBe(0);
  });

  it('asks less often while its credential is known to be valid', async () => {
    let known = 0;
    const { comeBack, state, wait } = refusedPeel([], {
      known: () => {
        known += 1;
        return { renews: true, expiresAt: NOON + HOUR, now: NOON, confirmed: true };
      },
    });
    const done = comeBack.refused();
    await wait();
    await done;
    expect(state.recoveries).toBe(1);
    expect(known).toBeGreaterThan(1);
  });

  it('gives up without a recovery credential', async () => {
    const { comeBack, state, wait } = refusedPeel([{ result: 'unavailable' }]);
    const done = comeBack.refused();
    await wait();
    await done;
    expect(state).toMatchObject({ isDown: true, recoveries: 1 });
  });

  it('ends when a master refuses permanently', async () => {
    const revoked = new FleetError('ERR_FLEET_REVOKED', 'revoked', { final: true });
    const { comeBack, state, wait } = refusedPeel([revoked]);
    const done = comeBack.refused();
    await wait();
    await done;
    expect(state.ended).toBe(revoked);
  });

  it('stops when the peel stops', async () => {
    const { comeBack, state, stopping } = refusedPeel([]);
    const done = comeBack.refused();
    stopping.abort();
    await done;
    expect(state).toMatchObject({ isDown: true, recoveries: 0, ended: undefined });
  });

  it('hides no mistake of its own', async () => {
    const { comeBack, wait } = refusedPeel([new RangeError('a mistake')]);
    const failed = expect(comeBack.refused()).rejects.toThrow('a mistake');
    await wait();
    await failed;
  });
});
