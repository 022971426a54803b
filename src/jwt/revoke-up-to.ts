// Decides the time that a revocation covers, and whether a JWT is dated too far ahead.

import { CLOCK_ALLOWANCE_SECONDS } from '../timing.js';

/**
 * The time of a revocation that no JWT of the key outlives, in seconds since 1970: the end of the year 9999. It is used
 * where nothing is known of the JWTs of a key.
 */
export const FOR_GOOD = 253_402_300_799;

/** The known JWTs of a key to revoke. */
export interface KnownJwts {
  /** When each was issued, in seconds since 1970; undefined: there is one whose time cannot be read. */
  issuedAt: readonly (number | undefined)[];
  /** Whether there are no others: what the registry has of a peel's key is all that was issued to it. */
  complete: boolean;
}

/**
 * Up to when to revoke a key. A server admits JWTs issued after that time, whatever its own clock says, so a
 * JWT that a fast clock or a thief dated ahead must be covered too.
 *
 * It is not for the revocation of everyone (`*`): that one holds up to the time that was asked for.
 *
 * @param now seconds since 1970
 * @returns seconds since 1970
 * @example revokeUpTo(1_000, { issuedAt: [1_300], complete: true }); // 1300
 */
export function revokeUpTo(now: number, { issuedAt, complete }: KnownJwts): number {
  const known = issuedAt.filter((time) => time !== undefined);
  // one that cannot be read may be dated later than any date
  if (known.length < issuedAt.length) return Math.max(Number.MAX_SAFE_INTEGER, ...known);
  if (complete) return Math.max(now, ...known);
  if (known.length === 0) return FOR_GOOD;
  // it may have been renewed elsewhere since, by a clock that is ahead
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
 * When a JWT is to be issued, so that it is newer than those before it and no revocation of everyone holds for it.
 *
 * @param nowMs milliseconds since 1970
 * @param before.issuedAt the last JWT of the same key: seconds since 1970
 * @param before.revoked what is revoked of everyone: seconds since 1970
 * @returns milliseconds since 1970
 */
export function issueAfter(
  nowMs: number,
  { issuedAt = 0, revoked = -1 }: { issuedAt?: number | undefined; revoked?: number | undefined },
): number {
  return Math.max(nowMs, issuedAt * 1000, (revoked + 1) * 1000);
}
