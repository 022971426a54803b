// Reads the masters and their signing keys from an account JWT.
import type { AccountClaims, ScopedSigningKeyClaim } from '../jwt/claims.js';
import { masterKeyKindOf, type MasterKeyKind } from '../permissions/master-roles.js';
import { FIRST_MASTER, labelOf } from '../permissions/master-label.js';
import { kindOfSigningKey } from '../trust/keys/signing-keys.js';
import type { AccountKeyKind } from '../trust/paths.js';

/** A signing key of a master. */
export interface MasterKey {
  kind: AccountKeyKind | MasterKeyKind;
  publicKey: string;
}

/** A master in the account JWTs. */
export interface RosterEntry {
  name: string;
  /** Its scoped signing keys of the fleet's account. */
  keys: MasterKey[];
  /** Its signing keys of the system account (`A…`). */
  systemKeys: string[];
  /** The public keys of its users; empty: unknown, for example of a home that was not made by an invitation. */
  users: string[];
}

/**
 * The masters: the first master, then the others by name. A key without a label belongs to the first master: homes that
 * were copied by hand count as one master.
 *
 * @param peelSigningKey a peel signing key of the account, whose role identifies the others
 */
export function rosterOf(
  account: AccountClaims,
  system: AccountClaims | undefined,
  peelSigningKey: string,
): RosterEntry[] {
  const roster = new Map<string, RosterEntry>();
  const entryOf = (name: string) => {
    const entry = roster.get(name) ?? { name, keys: [], systemKeys: [], users: [] };
    roster.set(name, entry);
    return entry;
  };
  for (const key of scopedKeys(account)) {
    const kind = masterKeyKindOf(key.role) ?? kindOfSigningKey(account, key.key, peelSigningKey);
    if (kind === undefined) continue;
    const label = labelOf(key.description);
    const entry = entryOf(label?.name ?? FIRST_MASTER);
    entry.keys.push({ kind, publicKey: key.key });
    entry.users.push(...(label?.users ?? []).filter((user) => !entry.users.includes(user)));
  }
  for (const key of system === undefined ? [] : scopedKeys(system)) {
    const label = labelOf(key.description);
    if (label !== undefined) entryOf(label.name).systemKeys.push(key.key);
  }
  const rank = ({ name }: RosterEntry) => (name === FIRST_MASTER ? '' : name);
  return [...roster.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

function scopedKeys({ nats }: AccountClaims): ScopedSigningKeyClaim[] {
  return (nats.signing_keys ?? []).filter((key) => typeof key !== 'string');
}
