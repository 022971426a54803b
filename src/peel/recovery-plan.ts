// Decides when an expired peel requests recovery.
import { CredsError, ConnectError } from '../errors.js';
import {
  RECOVERY_CLOCK_DOUBT_MS,
  RECOVERY_FIRST_RETRY_MS,
  RECOVERY_MAX_IDLE_RETRY_MS,
  RECOVERY_MAX_RETRY_MS,
} from '../timing.js';

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

/** What a running peel knows of its credential, which a server refuses. */
export interface RefusedPeel {
  /** Whether it renews its credential. */
  renews: boolean;
  /** Milliseconds since 1970; undefined: it does not expire. */
  expiresAt: number | undefined;
  /** The time of the fleet, and whether a master has confirmed it. */
  now: number;
  confirmed: boolean;
}

/**
 * A running peel that a server refuses although its credential has not expired requests recovery at every Nth attempt:
 * its signing key may have been removed.
 */
const ASK_ANYWAY_EVERY = 4;

/**
 * Whether a running peel that a server refuses requests recovery now. A confirmed clock shows whether the credential has
 * expired, which the server's error does not; neither shows that the signing key was removed.
 *
 * @param attempts including this one, from 1
 */
export function asksToRecover(attempts: number, { renews, expiresAt, now, confirmed }: RefusedPeel): boolean {
  const hasExpired = expiresAt !== undefined && expiresAt <= now + RECOVERY_CLOCK_DOUBT_MS;
  const isInTime = confirmed && renews && !hasExpired;
  return !isInTime || attempts % ASK_ANYWAY_EVERY === 0;
}

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
