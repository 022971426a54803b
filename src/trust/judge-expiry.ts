// Decides when a home's own credentials are renewed, and when their expiry is worth a warning.
import { expiryTime } from '../jwt/expiry.js';

/** The fraction of its lifetime after which a credential is renewed; a warning follows at {@link LATE}. */
const DUE = 2 / 3;
const LATE = 3 / 4;

/** The lifetime of an expiring JWT. */
export interface Life {
  /** Seconds since 1970. */
  iat: number;
  exp?: number | undefined;
}

/** When to renew a JWT, in milliseconds since 1970; `Infinity` if it never expires. */
export function renewalTime(life: Life): number {
  return timeAt(life, DUE);
}

/** When the renewal of a JWT is overdue, in milliseconds since 1970. */
export function lateTime(life: Life): number {
  return timeAt(life, LATE);
}

function timeAt(life: Life, share: number): number {
  const end = expiryTime(life);
  if (end === undefined) return Infinity;
  const from = life.iat * 1000;
  return from + (end - from) * share;
}
