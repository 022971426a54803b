// Decides when to renew, and the backoff between attempts.
import {
  RENEWAL_EXPIRED_MAX_RETRY_MS,
  RENEWAL_MAX_FIRST_RETRY_MS,
  RENEWAL_MAX_RETRY_MS,
  RENEWAL_MAX_TIMEOUT_MS,
  RENEWAL_MIN_RETRY_MS,
  RENEWAL_MIN_TIMEOUT_MS,
  RENEWAL_SPREAD_MS,
} from '../timing.js';

/** The issue time and the expiry of a credential, in milliseconds since 1970. */
export interface Lifetime {
  issuedAt: number;
  /** undefined: never. */
  expiresAt: number | undefined;
}

/**
 * A credential is renewed at this fraction of its lifetime, plus or minus {@link JITTER}, so that credentials issued at
 * the same time are not renewed at the same time.
 */
const RENEW_AT = 2 / 3;
const JITTER = 0.05;

/**
 * When to renew a credential, in milliseconds since 1970; `Infinity`: never.
 *
 * @param random from 0 to 1, one for each credential
 */
export function renewalAt({ issuedAt, expiresAt }: Lifetime, random: number): number {
  if (expiresAt === undefined) return Infinity;
  return issuedAt + (expiresAt - issuedAt) * (RENEW_AT + JITTER * (2 * random - 1));
}

/**
 * The pause after a failed attempt, in milliseconds: doubled each time, but short enough that several attempts fit into
 * the remaining lifetime. With a lifetime of 10 s that is fractions of a second, with a day it is minutes.
 *
 * @param failures failed attempts so far, from 1
 * @param remainingMs until the credential expires; may be below 0, and `Infinity`
 * @param lifetimeMs its total lifetime; may be `Infinity`
 * @param random from 0 to 1
 */
export function retryPause(
  failures: number,
  remainingMs: number,
  lifetimeMs: number,
  random: number,
): number {
  const first = clamp(lifetimeMs / 100, RENEWAL_MIN_RETRY_MS, RENEWAL_MAX_FIRST_RETRY_MS);
  const longest =
    remainingMs <= 0
      ? RENEWAL_EXPIRED_MAX_RETRY_MS
      : clamp(remainingMs / 8, RENEWAL_MIN_RETRY_MS, RENEWAL_MAX_RETRY_MS);
  const pause = Math.min(first * 2 ** Math.min(20, failures - 1), longest);
  return pause * (1 - random / 2);
}

/**
 * The jitter before a renewal that became due during an outage, in milliseconds: spreads the requests of a fleet, and
 * uses only a small part of the remaining lifetime.
 *
 * @param remainingMs until the credential expires; may be below 0, and `Infinity`
 * @param random from 0 to 1
 */
export function pauseAfterOutage(remainingMs: number, random: number): number {
  return clamp(remainingMs / 8, 0, RENEWAL_SPREAD_MS) * random;
}

/** The time limit of a request, in milliseconds, which leaves time for another attempt. */
export function answerTimeout(remainingMs: number): number {
  return remainingMs <= 0
    ? RENEWAL_MAX_TIMEOUT_MS
    : clamp(remainingMs / 3, RENEWAL_MIN_TIMEOUT_MS, RENEWAL_MAX_TIMEOUT_MS);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
