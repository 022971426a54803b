// Whether a user is a master of an account.
import { hasExpired } from '../jwt/expiry.js';
import type { UserClaims } from '../jwt/claims.js';
import { ADMIN_NAME, FLEET_SUBJECTS, MASTER_ANSWERS_NAME, MASTER_NAME } from '../permissions/names.js';

/** Names that a peel cannot have, since masters and admins have them. */
const RESERVED = new Set([MASTER_NAME, ADMIN_NAME, MASTER_ANSWERS_NAME]);

export function isReservedName(name: string): boolean {
  return RESERVED.has(name);
}

/**
 * Whether a user is a master of an account, as a peel can tell that knows nothing but its own JWT: signed by the account's
 * identity key, which signs no peel by default, and allowed to speak on every subject of the fleet.
 *
 * @param account the account's public key (`A…`)
 * @param nowSeconds seconds since 1970
 */
export function isMasterOf(claims: UserClaims, account: string, nowSeconds: number): boolean {
  return (
    claims.iss === account &&
    claims.name === MASTER_NAME &&
    !hasExpired(claims, nowSeconds * 1000) &&
    claims.nats.pub?.allow?.includes(FLEET_SUBJECTS) === true
  );
}
