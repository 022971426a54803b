import type { AccountClaims } from '../jwt/claims.js';

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
  /** What was taken away on purpose: signing keys (`A…`), revocations (`U…`, `*`); and when, in seconds since 1970. */
  removed: ReadonlyMap<string, number>;
}

const HISTORY = 'zester-history:';
const UNPUSHED = 'zester-unpushed';
const REMOVED = 'zester-removed:';
const OURS = /^zester-(history:|removed:|unpushed$)/i;

/** Beyond so many signings, the sequence alone says that one came after another. */
const KEPT_AFTER = 48;
/** How long, in seconds, and of how many it is kept that they were taken away. */
const KEPT_REMOVED_SECONDS = 400 * 86_400;
const KEPT_REMOVED = 64;
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
  const removed = new Map<string, number>();
  for (const written of tags) {
    // some tools write tags in lower case
    const tag = written.toUpperCase();
    const history = /^ZESTER-HISTORY:(\d{1,12}):([A-Z2-7,]*)$/.exec(tag);
    if (history !== null) {
      sequence = Math.max(sequence, Number(history[1]));
      after.push(...(history[2] ?? '').split(',').filter((id) => id.length === ID_LENGTH));
    }
    const removal = /^ZESTER-REMOVED:([AU][A-Z2-7]{55}|\*):(\d{1,12})$/.exec(tag);
    if (removal !== null) {
      const [, key = '', at] = removal;
      removed.set(key, Math.max(Number(at), removed.get(key) ?? 0));
    }
    unpushed ||= tag === UNPUSHED.toUpperCase();
  }
  return { sequence, after, unpushed, removed };
}

/**
 * Whether an account JWT was made from another, knowing all of it: then whatever it lacks of it was taken away on purpose.
 * A JWT that another tool signed anew comes after what its own tags say, and not after what they were copied from.
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
    .filter(([key, at]) => !there.has(key) && at > now - KEPT_REMOVED_SECONDS)
    .sort(([, a], [, b]) => b - a)
    .slice(0, KEPT_REMOVED);
  const after = [...new Set(history.after)].slice(0, KEPT_AFTER);
  const ours = [
    `${HISTORY}${history.sequence}:${after.join(',')}`,
    ...(history.unpushed ? [UNPUSHED] : []),
    ...removed.map(([key, at]) => `${REMOVED}${key}:${at}`),
  ];
  return {
    ...claims,
    nats: { ...claims.nats, tags: [...tags.filter((tag) => !OURS.test(tag)), ...ours] },
  };
}

/**
 * Notes that signing keys or revocations are taken away on purpose, so that no copy of the home brings them back.
 *
 * @param now seconds since 1970
 */
export function withRemoved(claims: AccountClaims, keys: Iterable<string>, now: number): AccountClaims {
  const history = historyOf(claims);
  const removed = new Map(history.removed);
  for (const key of keys) removed.set(key, now);
  return withHistory(claims, { ...history, removed }, now);
}
