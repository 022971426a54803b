// Decides when a home's own credentials are renewed, and when their expiry is worth a warning.
import { expiryTime } from '../jwt/expiry.js';

/** Credentials are renewed when so much of their life is over; a warning is given when {@link LATE} is. */
const DUE = 2 / 3;
const LATE = 3 / 4;

/** What an expiring JWT says of its life. */
export interface Life {
  /** Seconds since 1970. */
  iat: number;
  exp?: number | undefined;
}

/** When a JWT is to be renewed, in milliseconds since 1970; `Infinity`: it does not expire. */
export function renewalTime(life: Life): number {
  return timeAt(life, DUE);
}

/** From when on a JWT should have been renewed long ago, in milliseconds since 1970. */
export function lateTime(life: Life): number {
  return timeAt(life, LATE);
}

function timeAt(life: Life, share: number): number {
  const end = expiryTime(life);
  if (end === undefined) return Infinity;
  const from = life.iat * 1000;
  return from + (end - from) * share;
}
