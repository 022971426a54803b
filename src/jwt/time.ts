// Clocks, and the times in claims.

/** Reads the clock: milliseconds since 1970, as `Date.now`. Everything that reads it takes one, for tests. */
export type Clock = () => number;

/**
 * The latest time that a claim may hold: the end of the year 9999, in seconds since 1970. Later ones have no date in ISO
 * 8601, nor, from the year 275761 on, in JavaScript. Nobody means one: a token that never expires has no `exp`.
 */
export const MAX_CLAIM_SECONDS = 253_402_300_799;

/**
 * A time in ISO 8601, in UTC; one that no calendar has, in words. It never throws, so that no time that somebody wrote
 * into a claim or a record breaks what shows it.
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
