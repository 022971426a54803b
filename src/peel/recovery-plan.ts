// Decides when an expired peel requests recovery.
import { CredsError, ConnectError } from '../errors.js';
import { RECOVERY_FIRST_RETRY_MS, RECOVERY_MAX_IDLE_RETRY_MS, RECOVERY_MAX_RETRY_MS } from '../timing.js';

/** The outcome of a recovery attempt. */
export type RecoveryResult =
  /** New credentials. */
  | 'recovered'
  /** Another program has replaced the credentials: use those. */
  | 'replaced'
  /** An admin has to decide. */
  | 'pending'
  /** A master says that the credential is valid. */
  | 'notExpired'
  /** No recovery credential. */
  | 'unavailable'
  /** No master answered, or one failed. */
  | 'failed';

/**
 * Whether the credential of a peel that cannot connect may have expired. A server refuses an expired credential like
 * any invalid one, so a master decides; this machine's clock may be off.
 */
export function mayHaveExpired(error: unknown): boolean {
  if (error instanceof CredsError) return error.code === 'ERR_CREDS_EXPIRED';
  return error instanceof ConnectError && error.code === 'ERR_CONNECT_REFUSED';
}

/**
 * A running peel that a server refuses although its credential has not expired requests recovery at every Nth attempt:
 * its signing key may have been removed.
 */
export const ASK_ANYWAY_EVERY = 4;

/**
 * The backoff before the next attempt, in milliseconds: doubles up to 20 s; up to a minute if a master has answered.
 * Half of it is jitter, which spreads a fleet that waits for the same master.
 *
 * @param attempts so far, from 1
 * @param random from 0 to 1
 */
export function recoveryPause(result: RecoveryResult, attempts: number, random: number): number {
  const isAnswered = result === 'pending' || result === 'notExpired';
  const longest = isAnswered ? RECOVERY_MAX_IDLE_RETRY_MS : RECOVERY_MAX_RETRY_MS;
  const pause = Math.min(RECOVERY_FIRST_RETRY_MS * 2 ** Math.min(20, attempts - 1), longest);
  return Math.round(pause * (0.5 + random / 2));
}
