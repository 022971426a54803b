// Decides which JWTs a revocation by time must revoke by key.
import { revokeUpTo } from './revoke-up-to.js';
import { CLOCK_ALLOWANCE_SECONDS } from '../timing.js';

/** A known JWT. Times are in seconds since 1970. */
export interface DatedJwt {
  publicKey: string;
  /** undefined: it cannot be read. */
  issuedAt: number | undefined;
  /** Since when a connection uses it; undefined: none does, or that is not known. */
  usedSince?: number | undefined;
}

/** What {@link datedAfter} found. */
export interface DatedAfter {
  /** Public keys, and up to when each is to be revoked. */
  keys: Map<string, number>;
  /** JWTs that are dated ahead of the clock, and may have been issued before the time or after it. */
  undecided: { publicKey: string; issuedAt: number }[];
}

/**
 * Finds the JWTs that a revocation of everyone up to a time does not reach, because they claim to be issued later, and that
 * belong to it all the same. What is dated between the time and the clock was issued later, and is left alone unless it was in
 * use by then.
 *
 * @param time up to when everyone is revoked
 * @param now what the clock says
 * @example datedAfter([{ publicKey, issuedAt: 5_000 }], 1_000, 1_000).keys.get(publicKey); // 5000
 */
export function datedAfter(known: readonly DatedJwt[], time: number, now: number): DatedAfter {
  const keys = new Map<string, number>();
  const undecided = new Map<string, number>();
  const isAboutNow = time >= now - CLOCK_ALLOWANCE_SECONDS;
  for (const { publicKey, issuedAt, usedSince } of known) {
    if (issuedAt !== undefined && issuedAt <= Math.floor(time)) continue;
    const isAhead = issuedAt === undefined || issuedAt > now;
    const wasUsed = usedSince !== undefined && usedSince <= time;
    if (wasUsed || (isAhead && isAboutNow)) {
      const upTo = revokeUpTo(Math.floor(time), { issuedAt: [issuedAt], complete: true });
      keys.set(publicKey, Math.max(upTo, keys.get(publicKey) ?? 0));
    } else if (isAhead && issuedAt !== undefined) {
      undecided.set(publicKey, Math.max(issuedAt, undecided.get(publicKey) ?? 0));
    }
  }
  for (const key of keys.keys()) undecided.delete(key);
  return { keys, undecided: [...undecided].map(([publicKey, issuedAt]) => ({ publicKey, issuedAt })) };
}
