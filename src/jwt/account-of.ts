// The account that a user JWT belongs to.
import type { UserClaims } from './claims.js';

/** The account (`A…`) that a user belongs to: the one that its JWT names, or, signed by no signing key, its issuer. */
export function accountOf({ iss, nats }: UserClaims): string {
  const named = nats.issuer_account ?? '';
  return named === '' ? iss : named;
}
