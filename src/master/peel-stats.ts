// Counts records by expiry, and by unconfirmed revocations. No clock, no store.
import { currentKey, isAccepted, type PeelRecord } from '../protocol/records/record.js';

/** Expiry windows in seconds, by the label of the metric. */
export const EXPIRY_WINDOWS = { '1h': 3_600, '1d': 86_400, '7d': 604_800, '30d': 2_592_000 } as const;
export type ExpiryWindow = keyof typeof EXPIRY_WINDOWS;
const WINDOWS = Object.entries(EXPIRY_WINDOWS) as [ExpiryWindow, number][];

/** A peel renews at two thirds of its credential's lifetime. From this fraction on, a connected peel that has not is overdue. */
const OVERDUE = 0.9;

/** Totals over all records. */
export interface PeelStats {
  /** Accepted peels whose credential expires within each window; each window includes the shorter ones. */
  expiring: Record<ExpiryWindow, number>;
  /** Accepted peels whose credential has expired. */
  expired: number;
  /** Connected peels whose credential should have been renewed long ago. */
  overdue: number;
  /** The next expiry of an accepted peel, in seconds since 1970; `Infinity`: there is none. */
  earliestExpiry: number;
  /** Keys that are revoked, but not confirmed by every server. */
  unconfirmed: number;
}

export function emptyStats(): PeelStats {
  return {
    expiring: Object.fromEntries(WINDOWS.map(([window]) => [window, 0])) as Record<ExpiryWindow, number>,
    expired: 0,
    overdue: 0,
    earliestExpiry: Infinity,
    unconfirmed: 0,
  };
}

/**
 * Adds a record. The cost depends only on the number of keys in the record, which is small.
 *
 * @param now seconds since 1970
 */
export function addToStats(stats: PeelStats, record: PeelRecord, isConnected: boolean, now: number): void {
  for (const { state } of record.keys) if (state === 'revoking') stats.unconfirmed += 1;
  if (!isAccepted(record)) return;
  const { issuedAt, expiresAt } = currentKey(record) ?? {};
  if (expiresAt === undefined) return;
  if (expiresAt <= now) {
    stats.expired += 1;
    return;
  }
  stats.earliestExpiry = Math.min(stats.earliestExpiry, expiresAt);
  for (const [window, seconds] of WINDOWS) if (expiresAt <= now + seconds) stats.expiring[window] += 1;
  if (isConnected && issuedAt !== undefined && now >= issuedAt + (expiresAt - issuedAt) * OVERDUE)
    stats.overdue += 1;
}
