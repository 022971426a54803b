// Decides when to renew a home's own credentials, and when to warn about their expiry.
import { expiryTime } from '../jwt/expiry.js';

/** The fraction of its lifetime after which a credential is renewed; from {@link LATE} on, a warning is due. */
const DUE = 2 / 3;
const LATE = 3 / 4;

/** The issue and expiry times of a JWT. */
export interface Life {
  /** Seconds since 1970. */
  iat: number;
  exp?: number | undefined;
}

/** The time to renew a JWT, in milliseconds since 1970; `Infinity` if it never expires. */
export function renewalTime(life: Life): number {
  return timeAt(life, DUE);
}

/** The time from which the renewal of a JWT is overdue, in milliseconds since 1970. */
export function overdueTime(life: Life): number {
  return timeAt(life, LATE);
}

function timeAt(life: Life, share: number): number {
  const end = expiryTime(life);
  if (end === undefined) return Infinity;
  const from = life.iat * 1000;
  return from + (end - from) * share;
}
