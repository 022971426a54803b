// Decides when an expired peel asks to come back.
import { CredsError, ConnectError } from '../errors.js';
import { RECOVERY_FIRST_RETRY_MS, RECOVERY_MAX_IDLE_RETRY_MS, RECOVERY_MAX_RETRY_MS } from '../timing.js';

/** What an attempt to come back ended with. */
export type RecoveryResult =
  /** New credentials. */
  | 'recovered'
  /** Another program has replaced the credentials: those are to be used. */
  | 'replaced'
  /** An admin has to decide. */
  | 'pending'
  /** A master says that the credential is valid. */
  | 'notExpired'
  /** No recovery credential. */
  | 'unavailable'
  /** No master answered, or one could not. */
  | 'failed';

/**
 * Whether a peel that cannot connect may have lost its credential to its expiry. A server refuses an expired credential as any
 * other, so a master says which it is; and this machine's clock, which may be off, is not asked.
 */
export function mayHaveExpired(error: unknown): boolean {
  if (error instanceof CredsError) return error.code === 'ERR_CREDS_EXPIRED';
  return error instanceof ConnectError && error.code === 'ERR_CONNECT_REFUSED';
}

/**
 * A running peel whose credential has not expired, and that a server refuses, asks with each so many-th attempt all the same: the
 * key that signed its credential may have been removed.
 */
export const ASK_ANYWAY_EVERY = 4;

/**
 * How long to wait before the next attempt, in milliseconds: twice as long after each, up to 20 s; up to a minute where a
 * master has answered. A random half of it spreads a fleet that waits for the same master.
 *
 * @param attempts that were made, from 1
 * @param random from 0 to 1
 */
export function recoveryPause(result: RecoveryResult, attempts: number, random: number): number {
  const isAnswered = result === 'pending' || result === 'notExpired';
  const longest = isAnswered ? RECOVERY_MAX_IDLE_RETRY_MS : RECOVERY_MAX_RETRY_MS;
  const pause = Math.min(RECOVERY_FIRST_RETRY_MS * 2 ** Math.min(20, attempts - 1), longest);
  return Math.round(pause * (0.5 + random / 2));
}
