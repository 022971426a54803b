// Decides whether a notice is about the credential in use, and not a replay.
import type { Notice } from '../protocol/command.js';
import type { UserClaims } from '../jwt/claims.js';
import { NOTICE_MAX_AGE_MS, PEEL_CLOCK_DOUBT_MS } from '../timing.js';

/** The time of the fleet, as a peel knows it. */
export interface KnownTime {
  /** Milliseconds since 1970. */
  now: number;
  /** Whether a master has confirmed it. */
  confirmed: boolean;
}

/**
 * What to do with a notice signed by a master:
 *
 * - `follow` it;
 * - `pass`: it concerns another key or credential of this peel, and is valid;
 * - `refuse`: it may be a replay; `why` gives the reason.
 */
export type NoticeVerdict = { verdict: 'follow' } | { verdict: 'pass' } | { verdict: 'refuse'; why: string };

/**
 * Judges whether a notice is about the credential in use, and not a replay: a signature proves who wrote it, not when
 * it was sent.
 *
 * A notice to rotate names the key to replace. After the rotation the peel has a new key, so a replay has no effect,
 * even if clocks are wrong. A notice without a key comes from an older master, and must not be older than the JWT in
 * use. JWT times are whole seconds, so the comparison uses seconds: a peel may be added and rotated within one.
 *
 * @param claims the JWT in use
 */
export function judgeNotice(
  notice: Notice,
  claims: Pick<UserClaims, 'sub' | 'iat'>,
  time: KnownTime,
): NoticeVerdict {
  const at = Date.parse(notice.at);
  if (Number.isNaN(at)) return refuse('has no time');
  const isBeforeJwt = Math.floor(at / 1000) < claims.iat;
  if (notice.kind === 'ended') {
    const isOthers = notice.publicKeys !== undefined && !notice.publicKeys.includes(claims.sub);
    if (isOthers || isBeforeJwt) return { verdict: 'pass' };
    // if the time is uncertain, follow it: otherwise a revoked peel would try to connect forever
    return time.confirmed && isStale(at, time) ? refuse(ageOf(at, time)) : { verdict: 'follow' };
  }
  if (notice.publicKey !== undefined && notice.publicKey !== claims.sub)
    return refuse('is about a key that is not in use');
  if (notice.publicKey === undefined && isBeforeJwt) return refuse('is older than the credential in use');
  // also if the time is uncertain: a clock may be off by hours, and one more key rotation is harmless
  if (!time.confirmed && notice.publicKey !== undefined) return { verdict: 'follow' };
  return isStale(at, time) ? refuse(ageOf(at, time)) : { verdict: 'follow' };
}

/** A time ahead of an unconfirmed clock means that the clock is behind. */
function isStale(at: number, { now, confirmed }: KnownTime): boolean {
  return confirmed
    ? Math.abs(now - at) > NOTICE_MAX_AGE_MS
    : now - at > NOTICE_MAX_AGE_MS + PEEL_CLOCK_DOUBT_MS;
}

function ageOf(at: number, { now }: KnownTime): string {
  return `was signed ${Math.round(Math.abs(now - at) / 1000)} s ${at > now ? 'ahead of the time' : 'ago'}`;
}

function refuse(why: string): NoticeVerdict {
  return { verdict: 'refuse', why };
}
