// Clocks, and the times in claims.

/** A clock: milliseconds since 1970, like `Date.now`. A parameter of all code that reads the time, for tests. */
export type Clock = () => number;

/**
 * The latest time in a claim: the end of the year 9999, in seconds since 1970. Later times have no date in ISO 8601,
 * nor, from the year 275761 on, in JavaScript. A later time is always a mistake: a token that never expires has no
 * `exp`.
 */
export const MAX_CLAIM_SECONDS = 253_402_300_799;

/**
 * Formats a time in ISO 8601, in UTC; a time that has no date as seconds. It never throws, so that an arbitrary time in
 * a claim or record does not break its display.
 *
 * @param seconds since 1970
 */
export function isoTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s since 1970` : date.toISOString();
}

/** The whole seconds of a clock. */
export function nowSeconds(now: Clock = Date.now): number {
  return Math.floor(now() / 1000);
}
