// Decides when to renew a home's own credentials, and when to warn about their expiry.
import { expiryTime } from '../jwt/expiry.js';

/** The fraction of its lifetime after which a credential is renewed; from {@link OVERDUE_FRACTION} on, a warning is due. */
const RENEWAL_FRACTION = 2 / 3;
const OVERDUE_FRACTION = 3 / 4;

/** The issue and expiry times of a JWT. */
export interface JwtTimes {
  /** Seconds since 1970. */
  iat: number;
  exp?: number | undefined;
}

/** The time to renew a JWT, in milliseconds since 1970; `Infinity` if it never expires. */
export function renewalTime(times: JwtTimes): number {
  return timeAt(times, RENEWAL_FRACTION);
}

/** The time from which the renewal of a JWT is overdue, in milliseconds since 1970. */
export function overdueTime(times: JwtTimes): number {
  return timeAt(times, OVERDUE_FRACTION);
}

function timeAt(times: JwtTimes, fraction: number): number {
  const end = expiryTime(times);
  if (end === undefined) return Infinity;
  const from = times.iat * 1000;
  return from + (end - from) * fraction;
}
