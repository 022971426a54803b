// The common part of revisions of operator, account and user JWTs.
import { JwtError } from '../errors.js';
import { jwtOptionsError } from './options-error.js';
import { anything, callback, numberOrNull } from '../options/check-options.js';
import type { AccountClaims, OperatorClaims, UserClaims } from './claims.js';
import { expirySeconds } from './expiry.js';
import { isoTime, nowSeconds, type Clock } from './time.js';
import { bothExpiries, timeClaims } from './validity.js';
import { HISTORY_TAG, tagClaims } from './tags.js';
import { documentHoldsSeed } from '../nkeys/redacted-json.js';

/** Changes common to all JWTs. Everything else is kept. */
export interface Revision {
  name?: string | undefined;
  /** Replaces the current tags. */
  tags?: readonly string[] | undefined;
  /** Seconds from now until it expires; null: never. */
  expirySeconds?: number | null | undefined;
  /** The same, under its shorter name; give only one of the two. */
  expiry?: number | null | undefined;
  /** Seconds since 1970 before which it is not valid; null: at once. */
  notBefore?: number | null | undefined;
  /** The clock; `Date.now` by default. */
  now?: Clock | undefined;
}

/** A replacement for the current list, or items to add and remove. */
export type ListRevision<Item, Name = Item> =
  | readonly Item[]
  | { add?: readonly Item[] | undefined; remove?: readonly Name[] | undefined };

/** @internal Options of {@link Revision} whose types differ from those at creation. */
export const REVISION_ENTRIES = {
  expirySeconds: numberOrNull,
  expiry: numberOrNull,
  notBefore: numberOrNull,
  now: callback,
  tags: anything,
};

type AnyClaims = OperatorClaims | AccountClaims | UserClaims;

/**
 * Applies the common changes. Unchanged members are the same objects.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`, also for an expired JWT without a new expiry
 */
export function withRevision<C extends AnyClaims>(claims: C, revision: Revision): C {
  const { name, tags, now } = revision;
  const revised: C = {
    ...claims,
    ...(name !== undefined && { name }),
    ...revisedTimes(claims, revision),
    ...(tags !== undefined && { nats: { ...claims.nats, tags: withHistoryTags(tags, claims.nats.tags) } }),
  };
  const expiry = expirySeconds(revised);
  if (expiry !== undefined && expiry <= nowSeconds(now)) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      `the JWT of ${claims.sub} expired at ${isoTime(expiry)}: give a new expiry, or null for none`,
    );
  }
  return revised;
}

function revisedTimes(
  claims: AnyClaims,
  { expiry: short, expirySeconds: long, notBefore, now }: Revision,
): { exp?: number; nbf?: number } {
  if (short !== undefined && long !== undefined) throw bothExpiries();
  const expiry = short === undefined ? long : short;
  const { exp, nbf } = timeClaims({
    ...(typeof expiry === 'number' && { expiry }),
    ...(typeof notBefore === 'number' && { notBefore }),
    ...(now !== undefined && { now }),
  });
  const times = {
    exp: expiry === undefined ? claims.exp : exp,
    nbf: notBefore === undefined ? claims.nbf : nbf,
  };
  if (times.exp !== undefined && times.exp !== 0 && (times.nbf ?? 0) >= times.exp) {
    throw jwtOptionsError('notBefore is not before the expiry: the token would never be valid');
  }
  return times as { exp?: number; nbf?: number };
}

/** A home stores the history of its account in tags, which a revision must keep. */
function withHistoryTags(tags: readonly string[], before: readonly string[] = []): string[] {
  return [
    ...tagClaims(tags).filter((tag) => !HISTORY_TAG.test(tag)),
    ...before.filter((tag) => HISTORY_TAG.test(tag)),
  ];
}

/** Whether the change replaces the whole list. */
export function isReplacement<Item, Name>(list: ListRevision<Item, Name>): list is readonly Item[] {
  return Array.isArray(list);
}

/** Refuses a seed, which anyone with the JWT could read. @throws JwtError `ERR_JWT_OPTIONS` */
export function refuseSeeds(revision: object): void {
  if (!documentHoldsSeed(revision)) return;
  throw jwtOptionsError(
    'a seed was given where a name, a tag or a subject belongs: anyone with the JWT could read it',
  );
}
