// Finds the keys that a revocation of everyone would miss.
import { revokeUpTo } from './revoke-up-to.js';
import { CLOCK_ALLOWANCE_SECONDS } from '../timing.js';

/** A known JWT. Times are in seconds since 1970. */
export interface DatedJwt {
  publicKey: string;
  /** undefined: unreadable. */
  issuedAt: number | undefined;
  /** Since when a connection has used it; undefined: never, or unknown. */
  usedSince?: number | undefined;
}

/** The result of {@link datedAfter}. */
export interface DatedAfter {
  /** Public keys, and the time up to which to revoke each. */
  keys: Map<string, number>;
  /** JWTs dated ahead of the clock; they may have been issued before or after the time. */
  undecided: { publicKey: string; issuedAt: number }[];
}

/**
 * Finds the JWTs that a revocation of everyone up to a time should cover but misses, because they claim a later issue
 * time. JWTs dated between that time and the current time were issued later, and are left alone unless they were
 * already in use at that time.
 *
 * @param time the time up to which everyone is revoked
 * @param now the current time
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
