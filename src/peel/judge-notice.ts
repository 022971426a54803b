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
 * What to do with a notice that a master signed:
 *
 * - `follow` it;
 * - `pass`: it is about another key of this peel, or another credential, and nothing is wrong with it;
 * - `refuse`: it may be a replay; `why` says how that is known.
 */
export type NoticeVerdict = { verdict: 'follow' } | { verdict: 'pass' } | { verdict: 'refuse'; why: string };

/**
 * Judges whether a notice is about the credential in use, and not an old one that somebody sends again: a signature says
 * who wrote it, and not when it was sent.
 *
 * A notice to rotate names the key to replace. After the rotation the peel has another, so that the notice is
 * worth nothing from then on, whatever the clocks say. One without a key is an older master's, and must not be older than
 * the JWT in use. JWTs have whole seconds, so those are compared: a peel may be added and rotated within one.
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
    // in doubt of the time it is believed: a peel that is revoked would try to connect forever
    return time.confirmed && isStale(at, time) ? refuse(ageOf(at, time)) : { verdict: 'follow' };
  }
  if (notice.publicKey !== undefined && notice.publicKey !== claims.sub)
    return refuse('is about a key that is not in use');
  if (notice.publicKey === undefined && isBeforeJwt) return refuse('is older than the credential in use');
  // in doubt of the time, too: a clock may be off by hours, and to replace this key once more does no harm
  if (!time.confirmed && notice.publicKey !== undefined) return { verdict: 'follow' };
  return isStale(at, time) ? refuse(ageOf(at, time)) : { verdict: 'follow' };
}

/** A time ahead of a clock that nobody has confirmed says that the clock is behind. */
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
