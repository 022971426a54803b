// Whether a user is a master of an account.
import { accountOf } from '../jwt/account-of.js';
import { hasExpired } from '../jwt/expiry.js';
import type { UserClaims } from '../jwt/claims.js';
import { isScopedUser } from '../jwt/scoped.js';
import { endorsedKey } from '../trust/keys/endorsements.js';
import { adminOfUserName } from '../permissions/admin-names.js';
import { ADMIN_NAME, FLEET_SUBJECTS, MASTER_ANSWERS_NAME, MASTER_NAME } from '../permissions/names.js';

/** Names reserved for masters and admins. */
const RESERVED = new Set([MASTER_NAME, ADMIN_NAME, MASTER_ANSWERS_NAME]);

export function isReservedName(name: string): boolean {
  return RESERVED.has(name) || adminOfUserName(name) !== undefined;
}

/**
 * Whether a user is a master of an account, as far as a peel that knows only its own JWT can tell. Either the account's
 * identity key, which signs no peel by default, signed the JWT, and it may publish on every subject of the fleet; or
 * a key signed it that the identity key endorsed for masters, directly or through other masters' keys. The account JWT
 * says what the users of such a key may do, and the servers enforce it.
 *
 * @param account the account's public key (`A…`)
 * @param nowSeconds seconds since 1970
 * @param endorsements the endorsements of the key that signed the JWT, from the message
 */
export function isMasterOf(
  claims: UserClaims,
  account: string,
  nowSeconds: number,
  endorsements = '',
): boolean {
  if (claims.name !== MASTER_NAME || hasExpired(claims, nowSeconds * 1000)) return false;
  if (claims.iss === account) return claims.nats.pub?.allow?.includes(FLEET_SUBJECTS) === true;
  return (
    endorsements !== '' &&
    accountOf(claims) === account &&
    isScopedUser(claims) &&
    endorsedKey(account, endorsements) === claims.iss
  );
}
