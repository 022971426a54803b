// Removes signing keys from account claims on purpose.
import type { AccountClaims } from '../jwt/claims.js';
import { withRemoved } from '../trust/account-jwt/account-history.js';

/**
 * The claims without these signing keys, with tombstones so that no older state restores them; the same object if none
 * of them is present.
 *
 * @param now seconds since 1970
 */
export function withoutKeys(
  claims: AccountClaims,
  publicKeys: readonly string[],
  now: number,
): AccountClaims {
  const keys = claims.nats.signing_keys ?? [];
  const left = keys.filter((key) => !publicKeys.includes(typeof key === 'string' ? key : key.key));
  if (left.length === keys.length) return claims;
  return withRemoved(claims, { ...claims, nats: { ...claims.nats, signing_keys: left } }, publicKeys, now);
}
