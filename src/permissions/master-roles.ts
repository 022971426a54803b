// The roles and templates of the scoped signing keys with which a master renews its own users.
import type { ScopedSigningKey } from '../jwt/account.js';
import { withLabel, type MasterLabel } from './master-label.js';
import {
  adminPermissions,
  masterAnswersPermissions,
  masterPermissions,
  PEEL_CONNECTION_TYPES,
} from './roles.js';

/** The roles of a master's signing keys for its own users in the fleet's account, by the kind of the key. */
export const MASTER_KEY_ROLES = {
  'master-signing': 'zester-master',
  'answers-signing': 'zester-master-answers',
  'admin-signing': 'zester-admin',
} as const;
export type MasterKeyKind = keyof typeof MASTER_KEY_ROLES;

const KINDS = new Map<string, MasterKeyKind>(
  Object.entries(MASTER_KEY_ROLES).map(([kind, role]) => [role, kind as MasterKeyKind]),
);

/** The kind of users that a signing key of this role signs; undefined: not users of a master or an admin. */
export function masterKeyKindOf(role: string | undefined): MasterKeyKind | undefined {
  return KINDS.get(role ?? '');
}

const GRANTS = {
  'master-signing': { permissions: masterPermissions, description: 'what a master may do' },
  'answers-signing': { permissions: masterAnswersPermissions, description: 'what a master may answer' },
  'admin-signing': { permissions: adminPermissions, description: 'what an admin may do' },
} as const;

/** The signing keys for a master's own users: those whose public keys are given. */
export function masterSigningKeys(
  publicKeys: Partial<Record<MasterKeyKind, string>>,
  label: MasterLabel,
): ScopedSigningKey[] {
  const kinds = Object.keys(MASTER_KEY_ROLES) as MasterKeyKind[];
  return kinds.flatMap((kind) => {
    const publicKey = publicKeys[kind];
    return publicKey === undefined ? [] : [masterSigningKey(kind, publicKey, label)];
  });
}

/** A signing key for a master's own users. */
export function masterSigningKey(
  kind: MasterKeyKind,
  publicKey: string,
  label: MasterLabel,
): ScopedSigningKey {
  const { permissions, description } = GRANTS[kind];
  return {
    publicKey,
    role: MASTER_KEY_ROLES[kind],
    description: withLabel(description, label),
    permissions: permissions(),
    allowedConnectionTypes: PEEL_CONNECTION_TYPES,
  };
}
