// Decides the time that a revocation covers, and whether a JWT is dated too far ahead.

import { CLOCK_ALLOWANCE_SECONDS } from '../timing.js';

/**
 * The time of a permanent revocation, in seconds since 1970: the end of the year 9999. Used if the JWTs of a key are
 * unknown.
 */
export const PERMANENT = 253_402_300_799;

/** The known JWTs of a key to revoke. */
export interface KnownJwts {
  /** Their issue times, in seconds since 1970; undefined: unreadable. */
  issuedAt: readonly (number | undefined)[];
  /** Whether the list is complete: the registry has all JWTs of a peel's key. */
  complete: boolean;
}

/**
 * The time up to which to revoke a key. A server admits JWTs issued after that time, whatever its own clock says, so it
 * must also cover a JWT that a fast clock or a thief dated ahead.
 *
 * Not for the revocation of everyone (`*`), which covers exactly the requested time.
 *
 * @param now seconds since 1970
 * @returns seconds since 1970
 * @example revokeUpTo(1_000, { issuedAt: [1_300], complete: true }); // 1300
 */
export function revokeUpTo(now: number, { issuedAt, complete }: KnownJwts): number {
  const known = issuedAt.filter((time) => time !== undefined);
  // an unreadable JWT may have any date
  if (known.length < issuedAt.length) return Math.max(Number.MAX_SAFE_INTEGER, ...known);
  if (complete) return Math.max(now, ...known);
  if (known.length === 0) return PERMANENT;
  // another master, with a fast clock, may have renewed it in the meantime
  return Math.max(now + CLOCK_ALLOWANCE_SECONDS, ...known);
}

/**
 * Whether a JWT claims to be issued well after it was used.
 *
 * @param issuedAt seconds since 1970
 * @param usedAt seconds since 1970, by the server's clock
 */
export function isIssuedAhead(issuedAt: number, usedAt: number): boolean {
  return issuedAt > usedAt + CLOCK_ALLOWANCE_SECONDS;
}

/**
 * The issue time of a new JWT: later than the key's previous JWTs and any revocation of everyone.
 *
 * @param nowMs milliseconds since 1970
 * @param before.issuedAt issue time of the key's last JWT: seconds since 1970
 * @param before.revoked time of the revocation of everyone: seconds since 1970
 * @returns milliseconds since 1970
 */
export function issueAfter(
  nowMs: number,
  { issuedAt = 0, revoked = -1 }: { issuedAt?: number | undefined; revoked?: number | undefined },
): number {
  return Math.max(nowMs, issuedAt * 1000, (revoked + 1) * 1000);
}
