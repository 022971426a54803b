// Decides what a peel does next to keep its credential valid.

/**
 * Decides what a peel does next to keep its credential valid; the only place that does. No clock, no timers, no NATS.
 * Times of the fleet are in milliseconds since 1970, monotonic times in milliseconds of a monotonic clock.
 */
import { renewalAt, retryPause, type Lifetime } from './schedule.js';
import {
  CREDENTIAL_FIRST_WRITE_RETRY_MS,
  CREDENTIAL_MAX_WRITE_RETRY_MS,
  PEEL_CLOCK_DOUBT_MS,
  RENEWAL_MAX_PAUSE_MS,
  RENEWAL_MAX_WAIT_MS,
} from '../timing.js';

/** A credential with a shorter lifetime would not survive the largest clock error that is assumed. */
const SHORT_LIFETIME_MS = 3 * PEEL_CLOCK_DOUBT_MS;

/** Failed attempts, and the monotonic time of the next one. */
export interface Retry {
  readonly failures: number;
  readonly notBefore: number;
}

/** The facts about a credential that the plan depends on. */
export interface Credential {
  readonly publicKey: string;
  readonly lifetime: Lifetime;
}

/** The progress of a key rotation. */
export type Rotation =
  | { readonly is: 'none' }
  /** Not requested yet. */
  | { readonly is: 'wanted'; readonly retry: Retry }
  /** A master issued a JWT for the new key; it is not in the file yet, and must not be used before. */
  | {
      readonly is: 'writing';
      readonly credential: Credential;
      readonly replaces: string;
      readonly retry: Retry;
    }
  /** In the file; the connection is switching. */
  | { readonly is: 'moving'; readonly credential: Credential; readonly replaces: string };

/** The state that the plan depends on. */
export interface RenewalState {
  /** When to renew the credential in use, in the fleet's time; `Infinity`: never. */
  readonly dueAt: number;
  readonly renewal: Retry;
  /** Monotonic: no renewal before this time, even if one is due. */
  readonly notAgainBefore: number;
  readonly rotation: Rotation;
  /** A new JWT for the key in use that is not in the file yet. */
  readonly unwritten: { readonly credential: Credential; readonly retry: Retry } | undefined;
}

/** The current time, on both clocks. */
export interface Now {
  fleet: number;
  monotonic: number;
}

export type RenewalAction = { do: 'write' | 'rotate' | 'renew' } | { do: 'wait'; ms: number };

const AT_ONCE: Retry = { failures: 0, notBefore: 0 };

/** The initial state. */
export const NOTHING_DUE: RenewalState = {
  dueAt: Infinity,
  renewal: AT_ONCE,
  notAgainBefore: 0,
  rotation: { is: 'none' },
  unwritten: undefined,
};

/**
 * The next step. If several are due: first write a file, then rotate the key, then renew the JWT.
 *
 * @example plan(NOTHING_DUE, { fleet: 0, monotonic: 0 }); // { do: 'wait', ms: 60_000 }
 */
export function plan(state: RenewalState, now: Now): RenewalAction {
  const { rotation, renewal, unwritten } = state;
  const writing = rotation.is === 'writing' ? rotation.retry : unwritten?.retry;
  const wait = (retry: Retry | undefined) => (retry?.notBefore ?? Infinity) - now.monotonic;
  const choices = [
    ['write', wait(writing)],
    ['rotate', wait(rotation.is === 'wanted' ? rotation.retry : undefined)],
    ['renew', Math.max(state.dueAt - now.fleet, wait(renewal), state.notAgainBefore - now.monotonic)],
  ] as const;
  let ms = RENEWAL_MAX_WAIT_MS;
  for (const [act, in_] of choices) {
    if (in_ <= 0) return { do: act };
    ms = Math.min(ms, in_);
  }
  return { do: 'wait', ms };
}

/** An event. */
export type RenewalEvent =
  /** Another credential is in use, or the fleet's time has become known. */
  | { type: 'inUse'; dueAt: number }
  /** The file or the credential in use changed: retry waiting steps at once. */
  | { type: 'changed' }
  /** Reconnected after an outage: due and waiting steps are retried after this pause. */
  | { type: 'reconnected'; monotonic: number; pauseMs: number }
  | { type: 'rotationWanted' }
  /** A master issued a new JWT for the key in use. */
  | { type: 'renewed'; credential: Credential; monotonic: number }
  /** A master issued a JWT for a new key. */
  | { type: 'keyGiven'; credential: Credential; replaces: string }
  /** The waiting credential is in the file. */
  | { type: 'written' }
  /** Another program wrote a credential to the file that is newer than the waiting one. */
  | { type: 'outdated' }
  | { type: 'notWritten'; monotonic: number }
  /** The JWT for the new key grew old while it waited: request another one for the same key. */
  | { type: 'grewOld' }
  | { type: 'failed'; what: 'renewal' | 'rotation'; retryInMs: number; monotonic: number }
  /** The connection uses the new key, or a newer one. */
  | { type: 'moved' };

/** The state after an event. */
export function afterEvent(state: RenewalState, event: RenewalEvent): RenewalState {
  const { rotation, renewal, unwritten } = state;
  switch (event.type) {
    case 'inUse':
      return { ...state, dueAt: event.dueAt };
    case 'changed':
      return triedAgainAt(state, 0);
    case 'reconnected':
      return triedAgainAt(state, event.monotonic + event.pauseMs);
    case 'rotationWanted':
      return rotation.is === 'none' ? { ...state, rotation: { is: 'wanted', retry: AT_ONCE } } : state;
    case 'renewed': {
      const { credential, monotonic } = event;
      const pause = Math.min(RENEWAL_MAX_PAUSE_MS, spanOf(credential.lifetime) / 10);
      return {
        ...state,
        renewal: AT_ONCE,
        notAgainBefore: monotonic + pause,
        // a new key that waits to be written is newer than this
        unwritten: rotation.is === 'writing' ? undefined : { credential, retry: AT_ONCE },
      };
    }
    case 'keyGiven': {
      const { credential, replaces } = event;
      return {
        ...state,
        rotation: { is: 'writing', credential, replaces, retry: AT_ONCE },
        unwritten: undefined,
      };
    }
    case 'written':
    case 'outdated':
      if (rotation.is !== 'writing') return { ...state, unwritten: undefined };
      return {
        ...state,
        rotation: { is: 'moving', credential: rotation.credential, replaces: rotation.replaces },
      };
    case 'notWritten': {
      const again = (retry: Retry): Retry => afterFailure(retry, writePause(retry), event.monotonic);
      if (rotation.is === 'writing') {
        return { ...state, rotation: { ...rotation, retry: again(rotation.retry) } };
      }
      return { ...state, unwritten: unwritten && { ...unwritten, retry: again(unwritten.retry) } };
    }
    case 'grewOld':
      return { ...state, rotation: { is: 'wanted', retry: AT_ONCE } };
    case 'failed': {
      const again = (retry: Retry): Retry => afterFailure(retry, event.retryInMs, event.monotonic);
      if (event.what === 'renewal') return { ...state, renewal: again(renewal) };
      if (rotation.is !== 'wanted') return state;
      return { ...state, rotation: { ...rotation, retry: again(rotation.retry) } };
    }
    case 'moved':
      return { ...state, rotation: { is: 'none' } };
  }
}

function triedAgainAt(state: RenewalState, notBefore: number): RenewalState {
  const { rotation, renewal } = state;
  return {
    ...state,
    renewal: { ...renewal, notBefore },
    rotation: rotation.is === 'wanted' ? { ...rotation, retry: { ...rotation.retry, notBefore } } : rotation,
  };
}

/**
 * When to renew the credential in use, in the fleet's time.
 *
 * @param random from 0 to 1
 * @param confirmed whether a master has confirmed the fleet's time: if not, a short-lived credential is renewed at
 *   once, since a clock that is wrong by minutes would renew it too late, and the request also reveals the time
 */
export function dueAt(lifetime: Lifetime, random: number, confirmed: boolean): number {
  return !confirmed && spanOf(lifetime) < SHORT_LIFETIME_MS ? -Infinity : renewalAt(lifetime, random);
}

/** The pause after a failed request, in milliseconds. @param remainingMs of the credential in use */
export function pauseAfter(
  { failures }: Retry,
  { lifetime }: Pick<Credential, 'lifetime'>,
  remainingMs: number,
  random: number,
): number {
  return retryPause(failures + 1, remainingMs, spanOf(lifetime), random);
}

/** The pause after a failed write, in milliseconds. */
export function writePause({ failures }: Retry): number {
  return Math.min(
    CREDENTIAL_MAX_WRITE_RETRY_MS,
    CREDENTIAL_FIRST_WRITE_RETRY_MS * 2 ** Math.min(10, failures),
  );
}

/**
 * What to do with a credential that waits to be written, given the file's content.
 *
 * @param now the fleet's time
 */
export function judgeUnwritten(
  { rotation, unwritten }: Pick<RenewalState, 'rotation' | 'unwritten'>,
  inFile: Credential,
  now: number,
): 'write' | 'outdated' | 'grewOld' {
  if (rotation.is === 'writing') {
    if (inFile.publicKey !== rotation.replaces) return 'outdated';
    return renewalAt(rotation.credential.lifetime, 0.5) <= now ? 'grewOld' : 'write';
  }
  if (unwritten === undefined || inFile.publicKey !== unwritten.credential.publicKey) return 'outdated';
  return inFile.lifetime.issuedAt > unwritten.credential.lifetime.issuedAt ? 'outdated' : 'write';
}

/**
 * Whether a rotation is done: `moved` when the connection uses the new key, `overtaken` when the file now holds an even
 * newer key.
 */
export function judgeMove(
  rotation: Rotation,
  keys: { inFile: string; inUse: string | undefined },
): 'wait' | 'moved' | 'overtaken' {
  if (rotation.is !== 'moving') return 'wait';
  const { publicKey } = rotation.credential;
  if (keys.inFile !== publicKey) return 'overtaken';
  return keys.inUse === publicKey ? 'moved' : 'wait';
}

function afterFailure({ failures }: Retry, pauseMs: number, monotonic: number): Retry {
  return { failures: failures + 1, notBefore: monotonic + pauseMs };
}

function spanOf({ issuedAt, expiresAt }: Lifetime): number {
  return (expiresAt ?? Infinity) - issuedAt;
}
