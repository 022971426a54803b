import { describe, expect, it } from 'vitest';
import {
  afterEvent,
  dueAt,
  judgeMove,
  judgeUnwritten,
  NOTHING_DUE,
  pauseAfter,
  plan,
  writePause,
  type Credential,
  type Now,
  type RenewalEvent,
  type RenewalState,
} from '../../src/peel/renewal-plan.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ISSUED = Date.UTC(2026, 0, 1);

/** A day's credential of a key, issued so long after the first. */
const credential = (publicKey: string, issuedAfter = 0): Credential => ({
  publicKey,
  lifetime: { issuedAt: ISSUED + issuedAfter, expiresAt: ISSUED + issuedAfter + 24 * HOUR },
});
const OLD = credential('UOLD');
const NEW = credential('UNEW', 16 * HOUR);

/** The state of a peel after these events. */
const after = (...events: RenewalEvent[]): RenewalState => events.reduce(afterEvent, NOTHING_DUE);
/** This long after the first credential was issued, by both clocks. */
const at = (ms: number): Now => ({ fleet: ISSUED + ms, monotonic: ms });

const due: RenewalEvent = { type: 'inUse', dueAt: ISSUED + 16 * HOUR };
const wanted: RenewalEvent = { type: 'rotationWanted' };
const keyGiven: RenewalEvent = { type: 'keyGiven', credential: NEW, replaces: 'UOLD' };
const renewed: RenewalEvent = {
  type: 'renewed',
  credential: credential('UOLD', 16 * HOUR),
  monotonic: 16 * HOUR,
};

describe('the renewal of a credential', () => {
  it('waits until it is due, and checks the clock at least every minute', () => {
    expect(plan(after(due), at(0))).toEqual({ do: 'wait', ms: MINUTE });
    expect(plan(after(due), at(16 * HOUR - 5))).toEqual({ do: 'wait', ms: 5 });
    expect(plan(after(due), at(16 * HOUR))).toEqual({ do: 'renew' });
  });

  it('never comes for a credential without expiry', () => {
    const never = { issuedAt: ISSUED, expiresAt: undefined };
    expect(dueAt(never, 0.5, true)).toBe(Infinity);
    expect(plan(after({ type: 'inUse', dueAt: Infinity }), at(1e9))).toEqual({ do: 'wait', ms: MINUTE });
  });

  it('comes at two thirds of the lifetime', () => {
    expect(dueAt(OLD.lifetime, 0.5, true)).toBe(ISSUED + 16 * HOUR);
  });

  it('comes at once for a short-lived credential while the time is unconfirmed', () => {
    const short = { issuedAt: ISSUED, expiresAt: ISSUED + 20 * MINUTE };
    expect(dueAt(short, 0.5, false)).toBe(-Infinity);
    expect(dueAt(short, 0.5, true)).toBeGreaterThan(ISSUED);
    expect(dueAt(OLD.lifetime, 0.5, false)).toBeGreaterThan(ISSUED);
    expect(plan(after({ type: 'inUse', dueAt: -Infinity }), at(1))).toEqual({ do: 'renew' });
  });

  it('is retried with backoff, or at once when other credentials arrive', () => {
    const failed: RenewalEvent = {
      type: 'failed',
      what: 'renewal',
      retryInMs: 700,
      monotonic: 16 * HOUR,
    };
    const state = after(due, failed);
    expect(state.renewal.failures).toBe(1);
    expect(plan(state, at(16 * HOUR))).toEqual({ do: 'wait', ms: 700 });
    expect(plan(state, at(16 * HOUR + 700))).toEqual({ do: 'renew' });
    expect(plan(afterEvent(state, { type: 'changed' }), at(16 * HOUR))).toEqual({ do: 'renew' });
    const second = pauseAfter({ failures: 1, notBefore: 0 }, OLD, 8 * HOUR, 0);
    expect(second).toBe(2 * pauseAfter({ failures: 0, notBefore: 0 }, OLD, 8 * HOUR, 0));
  });

  it('waits a moment when the connection is back, for the other peels are back too', () => {
    const reconnected: RenewalEvent = { type: 'reconnected', monotonic: 16 * HOUR, pauseMs: 400 };
    expect(plan(after(due, reconnected), at(16 * HOUR))).toEqual({ do: 'wait', ms: 400 });
    expect(plan(after(due, reconnected), at(16 * HOUR + 400))).toEqual({ do: 'renew' });
    expect(plan(after(due, reconnected, { type: 'changed' }), at(16 * HOUR))).toEqual({ do: 'renew' });
    expect(plan(after(wanted, reconnected), at(16 * HOUR + 399))).toEqual({ do: 'wait', ms: 1 });
  });

  it('puts the new JWT into the file, and leaves a pause where that is due at once, too', () => {
    const state = after(due, renewed);
    expect(plan(state, at(16 * HOUR))).toEqual({ do: 'write' });
    const written = afterEvent(state, { type: 'written' });
    expect(plan(written, at(16 * HOUR))).toEqual({ do: 'wait', ms: MINUTE });
    expect(plan(written, at(16 * HOUR + MINUTE))).toEqual({ do: 'renew' });
  });
});

describe('the replacement of a key', () => {
  it('is requested at once, and only once', () => {
    expect(plan(after(wanted), at(0))).toEqual({ do: 'rotate' });
    expect(after(wanted, wanted)).toEqual(after(wanted));
    for (const state of [after(wanted, keyGiven), after(wanted, keyGiven, { type: 'written' })]) {
      expect(afterEvent(state, wanted)).toBe(state);
    }
  });

  it('comes before a renewal that is due', () => {
    expect(plan(after(due, wanted), at(20 * HOUR))).toEqual({ do: 'rotate' });
  });

  it('is retried after a pause, while renewals continue', () => {
    const failed: RenewalEvent = { type: 'failed', what: 'rotation', retryInMs: 900, monotonic: 20 * HOUR };
    expect(plan(after(wanted, failed), at(20 * HOUR))).toEqual({ do: 'wait', ms: 900 });
    expect(plan(after(wanted, failed, { type: 'changed' }), at(20 * HOUR))).toEqual({ do: 'rotate' });
    expect(plan(after(due, wanted, failed), at(20 * HOUR))).toEqual({ do: 'renew' });
  });

  it('writes the new key before anything else, instead of an older JWT that waits', () => {
    const state = after(due, renewed, wanted, keyGiven);
    expect(plan(state, at(20 * HOUR))).toEqual({ do: 'write' });
    expect(state.unwritten).toBeUndefined();
    // a JWT for the old key that comes meanwhile is not written over the new one
    expect(afterEvent(state, renewed).unwritten).toBeUndefined();
  });

  it('is done when the connection uses the new key, or a newer one is in the file', () => {
    const { rotation } = after(wanted, keyGiven, { type: 'written' });
    expect(judgeMove(rotation, { inFile: 'UNEW', inUse: 'UOLD' })).toBe('wait');
    expect(judgeMove(rotation, { inFile: 'UNEW', inUse: undefined })).toBe('wait');
    expect(judgeMove(rotation, { inFile: 'UNEW', inUse: 'UNEW' })).toBe('moved');
    expect(judgeMove(rotation, { inFile: 'UOTHER', inUse: 'UOLD' })).toBe('overtaken');
    expect(after(wanted, keyGiven, { type: 'written' }, { type: 'moved' }).rotation).toEqual({ is: 'none' });
  });

  it('is not done before its key is in the file', () => {
    const { rotation } = after(wanted, keyGiven);
    expect(judgeMove(rotation, { inFile: 'UOTHER', inUse: 'UNEW' })).toBe('wait');
  });
});

describe('a credential that cannot be written', () => {
  it('is written later: twice as late each time, and at most half a minute', () => {
    const pauses = [0, 1, 2, 9, 99].map((failures) => writePause({ failures, notBefore: 0 }));
    expect(pauses).toEqual([250, 500, 1_000, 30_000, 30_000]);
    for (const events of [[renewed], [wanted, keyGiven]]) {
      const state = after(...events, { type: 'notWritten', monotonic: 16 * HOUR });
      expect(plan(state, at(16 * HOUR))).toEqual({ do: 'wait', ms: 250 });
      expect(plan(state, at(16 * HOUR + 250))).toEqual({ do: 'write' });
    }
  });

  it('with a new JWT is dropped when the file holds a newer one, or one of another key', () => {
    const state = after(renewed);
    const now = ISSUED + 17 * HOUR;
    expect(judgeUnwritten(state, OLD, now)).toBe('write');
    expect(judgeUnwritten(state, credential('UOLD', 17 * HOUR), now)).toBe('outdated');
    expect(judgeUnwritten(state, credential('UOTHER'), now)).toBe('outdated');
  });

  it('with a new key is dropped when the file has another than the one that it replaces', () => {
    const state = after(wanted, keyGiven);
    expect(judgeUnwritten(state, credential('UOLD', 17 * HOUR), ISSUED + 17 * HOUR)).toBe('write');
    expect(judgeUnwritten(state, credential('UOTHER'), ISSUED + 17 * HOUR)).toBe('outdated');
  });

  it('whose new JWT grew old is requested again, for the same key', () => {
    const state = after(wanted, keyGiven);
    expect(judgeUnwritten(state, OLD, ISSUED + 33 * HOUR)).toBe('grewOld');
    expect(plan(afterEvent(state, { type: 'grewOld' }), at(33 * HOUR))).toEqual({ do: 'rotate' });
  });
});
