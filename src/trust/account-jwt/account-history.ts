// The history of an account JWT, in its tags.
import type { AccountClaims } from '../../jwt/claims.js';
import { REMOVAL_KEPT_SECONDS } from '../../timing.js';
import { HISTORY_TAG } from '../../jwt/tags.js';

/**
 * The provenance of an account JWT, stored in its tags. So it reaches every server and every copy of the home with the
 * JWT, signed by the operator. Other tools keep the tags of an account that they edit.
 */
export interface AccountHistory {
  /** The number of times that Zester has signed the account. */
  sequence: number;
  /** The IDs of the account JWTs that it derives from and fully includes; newest first. */
  after: readonly string[];
  /** Signed for a home only (`--no-push`), so no other JWT can derive from it. */
  unpushed: boolean;
  /** Tombstones of deliberate removals: signing keys (`A…`) and revocations (`U…`, `*`). */
  removed: ReadonlyMap<string, Removal>;
  /** Many revocations removed at once. */
  cleared: BulkClearance | undefined;
}

/** A tombstone: a signing key or a revocation was removed deliberately. */
export interface Removal {
  /** The time of the removal, in seconds since 1970. */
  at: number;
  /** For a revocation: the sequence of the account JWT that removed it, and the time that it covered. */
  sequence?: number | undefined;
  upTo?: number | undefined;
}

/** All revocations up to a time were removed. */
export interface BulkClearance {
  /** Seconds since 1970. */
  before: number;
  /** The sequence of the account JWT that removed them. */
  sequence: number;
}

const HISTORY = 'zester-history:';
const UNPUSHED = 'zester-unpushed';
const REMOVED = 'zester-removed:';
const CLEARED = 'zester-cleared:';

/** The number of predecessors to list; for older ones, only the sequence determines the order. */
const MAX_PREDECESSORS = 48;
/** The limits of tombstones, one per kind, so that cleared revocations cannot crowd out signing keys. */
const MAX_TOMBSTONES = { signingKeys: 64, revocations: 64 };
/** The number of a `jti`'s 52 characters to use: 80 bits are enough to distinguish the JWTs of one account. */
const ID_LENGTH = 16;

/** The ID of an account JWT, as in {@link AccountHistory}; undefined: it has none. */
export function accountId({ jti }: Pick<AccountClaims, 'jti'>): string | undefined {
  return jti === undefined || jti === '' ? undefined : jti.slice(0, ID_LENGTH).toUpperCase();
}

/** Reads the history of an account JWT. Ignores malformed entries. */
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

/** A placeholder sequence in tombstones of an unsigned account; {@link withSequence} replaces it on signing. */
const UNSIGNED = 0;

/** Gives new tombstones the sequence of the account JWT that is about to be signed. */
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

/** The later of two tombstones for the same key. */
export function laterRemoval(one: Removal, other: Removal | undefined): Removal {
  return other === undefined || one.at >= other.at ? one : other;
}

/** The clearance up to the later time. Revocations that only the other one cleared count as lost, and are restored. */
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
 * Whether an account JWT derives from another and fully includes it, so that anything it lacks was removed
 * deliberately. A JWT that another tool re-signed derives from the JWTs in its tags, not from the JWT that the tags
 * were copied from.
 */
export function comesAfter(claims: AccountClaims, other: AccountClaims): boolean {
  const id = accountId(other);
  const { sequence, after } = historyOf(claims);
  if (id !== undefined && (accountId(claims) === id || after.includes(id))) return true;
  const before = historyOf(other);
  return !before.unpushed && sequence - before.sequence > MAX_PREDECESSORS;
}

/**
 * Writes a history to the tags of an account; its other tags stay. Drops tombstones of items that are in the account
 * again, and very old ones.
 *
 * @param now seconds since 1970
 */
export function withHistory(claims: AccountClaims, history: AccountHistory, now: number): AccountClaims {
  const { revocations = {}, signing_keys: keys = [], tags = [] } = claims.nats;
  const present = new Set([
    ...Object.keys(revocations),
    ...keys.map((key) => (typeof key === 'string' ? key : key.key)),
  ]);
  const removed = [...history.removed]
    .filter(([key, { at }]) => !present.has(key) && at > now - REMOVAL_KEPT_SECONDS)
    .sort(([, a], [, b]) => b.at - a.at);
  const isSigningKey = ([key]: [string, Removal]) => key.startsWith('A');
  const kept = [
    ...removed.filter(isSigningKey).slice(0, MAX_TOMBSTONES.signingKeys),
    ...removed.filter((one) => !isSigningKey(one)).slice(0, MAX_TOMBSTONES.revocations),
  ];
  const after = [...new Set(history.after)].slice(0, MAX_PREDECESSORS);
  const ours = [
    `${HISTORY}${history.sequence}:${after.join(',')}`,
    ...(history.unpushed ? [UNPUSHED] : []),
    ...kept.map(([key, removal]) => `${REMOVED}${key}:${formatRemoval(removal)}`),
    ...(history.cleared === undefined
      ? []
      : [`${CLEARED}${history.cleared.before}:${history.cleared.sequence}`]),
  ];
  return {
    ...claims,
    nats: { ...claims.nats, tags: [...tags.filter((tag) => !HISTORY_TAG.test(tag)), ...ours] },
  };
}

function formatRemoval({ at, sequence, upTo }: Removal): string {
  return sequence === undefined || upTo === undefined ? `${at}` : `${at}:${sequence}:${upTo}`;
}

/**
 * Records that signing keys or revocations are removed deliberately, so that no copy of the home restores them.
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
 * Records that all revocations up to a time are removed deliberately: one tombstone for any number of them.
 *
 * @param before seconds since 1970, not in the future
 * @param now seconds since 1970
 */
export function withCleared(claims: AccountClaims, before: number, now: number): AccountClaims {
  const history = historyOf(claims);
  const cleared = widerClearance({ before, sequence: UNSIGNED }, history.cleared);
  return withHistory(claims, { ...history, cleared }, now);
}
