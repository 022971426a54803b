// The account that a user JWT belongs to.
import type { UserClaims } from './claims.js';

/** The account (`A…`) of a user: the one named in its JWT or, if the account itself signed it, the issuer. */
export function accountOf({ iss, nats }: UserClaims): string {
  const named = nats.issuer_account ?? '';
  return named === '' ? iss : named;
}
