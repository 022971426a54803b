// The history that an account JWT carries in its tags.
import type { AccountClaims } from '../../jwt/claims.js';
import { REMOVAL_KEPT_SECONDS } from '../../timing.js';
import { HISTORY_TAG } from '../../jwt/tags.js';

/**
 * What an account JWT says of where it comes from, in its tags: so it travels with the JWT to every server and every copy
 * of the home, signed by the operator. Other tools keep the tags of an account that they edit.
 */
export interface AccountHistory {
  /** How many times Zester has signed the account. */
  sequence: number;
  /** The ids of the account JWTs that it was made from, and knows all of: the newest first. */
  after: readonly string[];
  /** Signed for a home only (`--no-push`), so that no other JWT can come after it. */
  unpushed: boolean;
  /** What was taken away on purpose: signing keys (`A…`) and revocations (`U…`, `*`). */
  removed: ReadonlyMap<string, Removal>;
  /** Many revocations that were taken away at once. */
  cleared: BulkClearance | undefined;
}

/** The note that a signing key or a revocation was taken away on purpose. */
export interface Removal {
  /** When, in seconds since 1970. */
  at: number;
  /** Of a revocation: the sequence of the account JWT that took it away, and the time it held up to. */
  sequence?: number | undefined;
  upTo?: number | undefined;
}

/** Every revocation that holds up to an earlier time was taken away. */
export interface BulkClearance {
  /** Seconds since 1970. */
  before: number;
  /** The sequence of the account JWT that took them away. */
  sequence: number;
}

const HISTORY = 'zester-history:';
const UNPUSHED = 'zester-unpushed';
const REMOVED = 'zester-removed:';
const CLEARED = 'zester-cleared:';

/** Beyond so many signings, the sequence alone says that one came after another. */
const KEPT_AFTER = 48;
/** Of how many it is kept. Revocations that are cleared must not crowd out signing keys, so each kind has its own limit. */
const KEPT_REMOVED = { signingKeys: 64, revocations: 64 };
/** Of a `jti`, which has 52 characters: 80 bits are enough to tell the JWTs of one account apart. */
const ID_LENGTH = 16;

/** The id of an account JWT, as {@link AccountHistory} has it; undefined: it has none. */
export function accountId({ jti }: Pick<AccountClaims, 'jti'>): string | undefined {
  return jti === undefined || jti === '' ? undefined : jti.slice(0, ID_LENGTH).toUpperCase();
}

/** Reads the history of an account JWT. What is not of its form is passed over. */
export function historyOf({ nats: { tags = [] } }: AccountClaims): AccountHistory {
  let sequence = 0;
  let unpushed = false;
  const after: string[] = [];
  const removed = new Map<string, Removal>();
  let cleared: BulkClearance | undefined;
  for (const written of tags) {
    // some tools write tags in lower case
    const tag = written.toUpperCase();
    const history = /^ZESTER-HISTORY:(\d{1,12}):([A-Z2-7,]*)$/.exec(tag);
    if (history !== null) {
      sequence = Math.max(sequence, Number(history[1]));
      after.push(...(history[2] ?? '').split(',').filter((id) => id.length === ID_LENGTH));
    }
    const removal = /^ZESTER-REMOVED:([AU][A-Z2-7]{55}|\*):(\d{1,12})(?::(\d{1,12}):(\d{1,19}))?$/.exec(tag);
    if (removal !== null) {
      const [, key = '', at, of, upTo] = removal;
      const parsed = {
        at: Number(at),
        ...(of !== undefined && upTo !== undefined && { sequence: Number(of), upTo: Number(upTo) }),
      };
      removed.set(key, laterRemoval(parsed, removed.get(key)));
    }
    const clearance = /^ZESTER-CLEARED:(\d{1,12}):(\d{1,12})$/.exec(tag);
    if (clearance !== null) {
      cleared = widerClearance({ before: Number(clearance[1]), sequence: Number(clearance[2]) }, cleared);
    }
    unpushed ||= tag === UNPUSHED.toUpperCase();
  }
  return { sequence, after, unpushed, removed, cleared };
}

/** The sequence in notes of an account that is not signed yet: it is known when that is done, see {@link withSequence}. */
const UNSIGNED = 0;

/** Gives the notes that are new the sequence of the account JWT that is about to be signed. */
export function withSequence(history: AccountHistory, sequence: number): AccountHistory {
  const { cleared } = history;
  const removed = [...history.removed].map(([key, removal]): [string, Removal] => [
    key,
    removal.sequence === UNSIGNED ? { ...removal, sequence } : removal,
  ]);
  return {
    ...history,
    sequence,
    removed: new Map(removed),
    cleared: cleared?.sequence === UNSIGNED ? { ...cleared, sequence } : cleared,
  };
}

/** Of two notes about the same key, the later. */
export function laterRemoval(one: Removal, other: Removal | undefined): Removal {
  return other === undefined || one.at >= other.at ? one : other;
}

/** Of two clearances, the one that reaches further. What only the other one covers counts as lost, and so comes back. */
export function widerClearance(
  one: BulkClearance | undefined,
  other: BulkClearance | undefined,
): BulkClearance | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.before > other.before || (one.before === other.before && one.sequence >= other.sequence)
    ? one
    : other;
}

/**
 * Whether an account JWT was made from another, knowing all of it: then whatever it lacks of it was taken away on purpose.
 * A JWT that another tool re-signed comes after what its own tags say, and not after what they were copied from.
 */
export function comesAfter(claims: AccountClaims, other: AccountClaims): boolean {
  const id = accountId(other);
  const { sequence, after } = historyOf(claims);
  if (id !== undefined && (accountId(claims) === id || after.includes(id))) return true;
  const before = historyOf(other);
  return !before.unpushed && sequence - before.sequence > KEPT_AFTER;
}

/**
 * Writes a history into the tags of an account; its other tags stay. What is in the account again is not removed any more;
 * what was removed long ago is forgotten.
 *
 * @param now seconds since 1970
 */
export function withHistory(claims: AccountClaims, history: AccountHistory, now: number): AccountClaims {
  const { revocations = {}, signing_keys: keys = [], tags = [] } = claims.nats;
  const there = new Set([
    ...Object.keys(revocations),
    ...keys.map((key) => (typeof key === 'string' ? key : key.key)),
  ]);
  const removed = [...history.removed]
    .filter(([key, { at }]) => !there.has(key) && at > now - REMOVAL_KEPT_SECONDS)
    .sort(([, a], [, b]) => b.at - a.at);
  const isSigningKey = ([key]: [string, Removal]) => key.startsWith('A');
  const kept = [
    ...removed.filter(isSigningKey).slice(0, KEPT_REMOVED.signingKeys),
    ...removed.filter((one) => !isSigningKey(one)).slice(0, KEPT_REMOVED.revocations),
  ];
  const after = [...new Set(history.after)].slice(0, KEPT_AFTER);
  const ours = [
    `${HISTORY}${history.sequence}:${after.join(',')}`,
    ...(history.unpushed ? [UNPUSHED] : []),
    ...kept.map(([key, removal]) => `${REMOVED}${key}:${removalWords(removal)}`),
    ...(history.cleared === undefined
      ? []
      : [`${CLEARED}${history.cleared.before}:${history.cleared.sequence}`]),
  ];
  return {
    ...claims,
    nats: { ...claims.nats, tags: [...tags.filter((tag) => !HISTORY_TAG.test(tag)), ...ours] },
  };
}

function removalWords({ at, sequence, upTo }: Removal): string {
  return sequence === undefined || upTo === undefined ? `${at}` : `${at}:${sequence}:${upTo}`;
}

/**
 * Notes that signing keys or revocations are taken away on purpose, so that no copy of the home brings them back.
 *
 * @param before the claims that still have them
 * @param claims the claims without them
 * @param now seconds since 1970
 */
export function withRemoved(
  before: AccountClaims,
  claims: AccountClaims,
  keys: Iterable<string>,
  now: number,
): AccountClaims {
  const history = historyOf(claims);
  const removed = new Map(history.removed);
  for (const key of keys) {
    const upTo = before.nats.revocations?.[key];
    removed.set(key, { at: now, ...(upTo !== undefined && { sequence: UNSIGNED, upTo }) });
  }
  return withHistory(claims, { ...history, removed }, now);
}

/**
 * Notes that every revocation that holds up to an earlier time is taken away on purpose: one note for any number.
 *
 * @param before seconds since 1970, not in the future
 * @param now seconds since 1970
 */
export function withCleared(claims: AccountClaims, before: number, now: number): AccountClaims {
  const history = historyOf(claims);
  const cleared = widerClearance({ before, sequence: UNSIGNED }, history.cleared);
  return withHistory(claims, { ...history, cleared }, now);
}
