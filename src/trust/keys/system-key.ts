// The scoped signing key of the system account with which a master renews its own system user.
import { signingKeyClaim, type ScopedSigningKey } from '../../jwt/account.js';
import type { AccountClaims } from '../../jwt/claims.js';
import { withLabel, type MasterLabel } from '../../permissions/master-label.js';
import { SYSTEM_CONNECTION_TYPES, SYSTEM_ROLE, systemPermissions } from '../../permissions/system-role.js';
import { withSigningKeys } from './signing-keys.js';

/** The signing key of a master in the system account. */
export function systemSigningKey(publicKey: string, label: MasterLabel): ScopedSigningKey {
  return {
    publicKey,
    role: SYSTEM_ROLE,
    description: withLabel('what a master may ask the servers', label),
    permissions: systemPermissions(),
    allowedConnectionTypes: SYSTEM_CONNECTION_TYPES,
  };
}

/** Adds the signing key of a master to the system account. */
export function withSystemKey(claims: AccountClaims, publicKey: string, label: MasterLabel): AccountClaims {
  return withSigningKeys(claims, [signingKeyClaim(systemSigningKey(publicKey, label))]);
}
