// When to renew, and how long to wait between attempts.
import {
  RENEWAL_EXPIRED_MAX_RETRY_MS,
  RENEWAL_MAX_FIRST_RETRY_MS,
  RENEWAL_MAX_RETRY_MS,
  RENEWAL_MAX_TIMEOUT_MS,
  RENEWAL_MIN_RETRY_MS,
  RENEWAL_MIN_TIMEOUT_MS,
  RENEWAL_SPREAD_MS,
} from '../timing.js';

/** When a credential was issued and when it ends, in milliseconds since 1970. */
export interface Lifetime {
  issuedAt: number;
  /** undefined: never. */
  expiresAt: number | undefined;
}

/** A credential is renewed at this part of its lifetime, give or take {@link JITTER}: so that a fleet that was issued at one time does not ask at one time. */
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
 * How long to wait after an attempt that failed, in milliseconds: twice as long after each, and never so long that what
 * remains of the lifetime would pass with a few attempts only. With 10 s of lifetime that is fractions of a second, with
 * a day it is minutes.
 *
 * @param failures how many attempts have failed, from 1
 * @param remainingMs until the credential expires; may be below 0, and `Infinity`
 * @param lifetimeMs the whole of its lifetime; may be `Infinity`
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
 * How long a renewal that became due in an outage waits once that is over, in milliseconds: a random time, so that a fleet does
 * not ask all at once, and a small part of what is left of the lifetime.
 *
 * @param remainingMs until the credential expires; may be below 0, and `Infinity`
 * @param random from 0 to 1
 */
export function pauseAfterOutage(remainingMs: number, random: number): number {
  return clamp(remainingMs / 8, 0, RENEWAL_SPREAD_MS) * random;
}

/** How long to wait for an answer, in milliseconds, so that there is time for another attempt. */
export function answerTimeout(remainingMs: number): number {
  return remainingMs <= 0
    ? RENEWAL_MAX_TIMEOUT_MS
    : clamp(remainingMs / 3, RENEWAL_MIN_TIMEOUT_MS, RENEWAL_MAX_TIMEOUT_MS);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
