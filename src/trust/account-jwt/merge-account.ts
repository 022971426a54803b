// Merges account JWTs so that no revocation or signing key is lost.
import { signingKeyId, signingKeyIds } from '../../jwt/signing-key-ids.js';
import type { AccountClaims, ScopedSigningKeyClaim } from '../../jwt/claims.js';
import {
  accountId,
  comesAfter,
  historyOf,
  laterRemoval,
  widerClearance,
  type AccountHistory,
  type BulkClearance,
  type Removal,
} from './account-history.js';

/** The entries that one account JWT has and another lacks without a recorded removal. */
export interface AccountLosses {
  /** Public keys, or `*`. */
  revocations: string[];
  /** `A…`. */
  signingKeys: string[];
  /** Signing keys and revocations (public keys, or `*`) that were removed deliberately, and have reappeared. */
  returned: string[];
  /** Signing keys whose template was lost or reverted to an older one. */
  templates: string[];
}

/** Nothing is lost. */
export const NOTHING_LOST: Readonly<AccountLosses> = {
  revocations: [],
  signingKeys: [],
  returned: [],
  templates: [],
};

/** The result of merging several account JWTs. */
export interface MergedAccount {
  /** The newest of the merged JWTs. */
  base: AccountClaims;
  /** The merged claims; the same object as `base` if nothing was lost. */
  claims: AccountClaims;
  /** The entries that `base` had lost. */
  restored: AccountLosses;
}

type SigningKey = string | ScopedSigningKeyClaim;

/**
 * Merges the accounts of the home and the servers. The newest one wins, but no revocation and no signing key is lost if
 * another tool re-signed an older state: only entries that Zester removed deliberately stay removed (`AccountHistory`).
 * The merge covers only what decides which peels may connect; limits, exports and the like always come from the newest.
 *
 * @param all at least one
 * @example mergeAccountClaims([home, server]).restored.revocations; // revocations lost by a stale push
 */
export function mergeAccountClaims(all: readonly AccountClaims[]): MergedAccount {
  const base = all.reduce((best, next) => (next.iat > best.iat ? next : best));
  const restored: AccountLosses = { revocations: [], signingKeys: [], returned: [], templates: [] };
  const others = all.filter((other) => other !== base && !comesAfter(base, other));
  const removed = removedIn([base, ...others]);
  const cleared = clearedIn([base, ...others]);
  const revocations: Record<string, number> = {};
  for (const [key, upTo] of Object.entries(base.nats.revocations ?? {})) {
    if (isCleared(key, upTo, base, removed, cleared)) restored.returned.push(key);
    else revocations[key] = upTo;
  }
  let keys: SigningKey[] = [...(base.nats.signing_keys ?? [])];
  for (const other of others) {
    for (const [key, upTo] of Object.entries(other.nats.revocations ?? {})) {
      if ((revocations[key] ?? -1) >= upTo || isCleared(key, upTo, other, removed, cleared)) continue;
      revocations[key] = upTo;
      restored.revocations.push(key);
    }
    for (const key of other.nats.signing_keys ?? []) {
      const id = signingKeyId(key);
      const known = keys.find((one) => signingKeyId(one) === id);
      if (known === undefined) {
        if (removed.has(id)) continue;
        keys = [...keys, key];
        restored.signingKeys.push(id);
      } else if (!isSame(known, key) && (isStale(base, other) || lostItsScope(known, key))) {
        keys = keys.map((one) => (signingKeyId(one) === id ? key : one));
        restored.templates.push(id);
      }
    }
  }
  const kept = keys.filter((key) => !removed.has(signingKeyId(key)));
  for (const key of keys) if (!kept.includes(key)) restored.returned.push(signingKeyId(key));
  if (isNone(restored)) return { base, claims: base, restored };
  return { base, claims: { ...base, nats: { ...base.nats, revocations, signing_keys: kept } }, restored };
}

/** The signing keys of `before` that `claims` lacks: an admin may want them back. */
export function removedBy(claims: AccountClaims, before: AccountClaims): AccountLosses {
  const left = new Set(signingKeyIds(claims));
  const signingKeys = signingKeyIds(before).filter((key) => !left.has(key));
  return { ...NOTHING_LOST, signingKeys };
}

/** Describes each loss in a line; lists only the first of many revocations. */
export function describeLosses({ revocations, signingKeys, returned, templates }: AccountLosses): string[] {
  const returnedRevocations = returned.filter((key) => !key.startsWith('A'));
  return [
    ...(revocations.length === 0 ? [] : [`revocation of ${abbreviate(revocations)}`]),
    ...signingKeys.map((key) => `signing key ${key}`),
    ...returned.filter((key) => key.startsWith('A')).map((key) => `removal of the signing key ${key}`),
    ...(returnedRevocations.length === 0
      ? []
      : [`clearing of the revocation of ${abbreviate(returnedRevocations)}`]),
    ...templates.map((key) => `permissions of the signing key ${key}`),
  ];
}

function abbreviate(keys: readonly string[]): string {
  const shown = keys.slice(0, 5).join(', ');
  return keys.length > 5 ? `${shown} and ${keys.length - 5} more` : shown;
}

/** Whether nothing is lost. */
export function isNone(losses: AccountLosses): boolean {
  return Object.values(losses).every((list) => (list as string[]).length === 0);
}

/** Merges tombstones; for the same key, the later one wins. */
export function removedIn(all: readonly AccountClaims[]): Map<string, Removal> {
  const removed = new Map<string, Removal>();
  for (const claims of all) {
    for (const [key, removal] of historyOf(claims).removed) {
      removed.set(key, laterRemoval(removal, removed.get(key)));
    }
  }
  return removed;
}

function clearedIn(all: readonly AccountClaims[]): BulkClearance | undefined {
  return all
    .map((claims) => historyOf(claims).cleared)
    .reduce((widest, next) => widerClearance(widest, next), undefined);
}

/** The history of an account JWT that is merged from these, and thus derives from each of them. */
export function mergedHistory(base: AccountClaims, all: readonly AccountClaims[]): AccountHistory {
  const newestFirst = [base, ...all.filter((claims) => claims !== base)];
  const histories = newestFirst.map(historyOf);
  const others = newestFirst.filter((claims) => claims === base || !comesAfter(base, claims));
  return {
    sequence: Math.max(...histories.map(({ sequence }) => sequence)) + 1,
    after: [
      ...newestFirst.flatMap((claims) => accountId(claims) ?? []),
      ...histories.flatMap(({ after }) => after),
    ],
    unpushed: false,
    removed: removedIn(others),
    cleared: clearedIn(others),
  };
}

/**
 * Whether a revocation in an account JWT was cleared deliberately, and is not a new one of the same key. A JWT signed
 * before the clearance still has the old revocation. A later JWT that another tool re-signed from an older state has an
 * older sequence in its tags; its revocation is the old one if its time is that of the cleared one, or is before the
 * clearance. In doubt, a key stays revoked.
 */
function isCleared(
  key: string,
  upTo: number,
  of: AccountClaims,
  removed: ReadonlyMap<string, Removal>,
  cleared: BulkClearance | undefined,
): boolean {
  const { sequence, unpushed } = historyOf(of);
  const removal = removed.get(key);
  if (removal !== undefined) {
    if (removal.at >= of.iat) return true;
    const isOlderState = !unpushed && sequence < (removal.sequence ?? 0);
    if (isOlderState && (upTo <= removal.at || upTo === removal.upTo)) return true;
  }
  if (cleared === undefined || unpushed || sequence === 0) return false;
  return sequence < cleared.sequence && upTo < cleared.before;
}

/** Whether another tool signed `base` from a state older than `other`, so that shared entries in it may be outdated. */
function isStale(base: AccountClaims, other: AccountClaims): boolean {
  return historyOf(base).sequence < historyOf(other).sequence;
}

/**
 * Whether a scoped signing key has become a plain one. No tool does that deliberately: JWTs signed by the key have no
 * permissions of their own, and would be unrestricted.
 */
function lostItsScope(now: SigningKey, before: SigningKey): boolean {
  return typeof now === 'string' && typeof before !== 'string';
}

function isSame(one: SigningKey, other: SigningKey): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
