// The public keys of an account's signing keys, plain and scoped.
import type { AccountClaims, ScopedSigningKeyClaim } from './claims.js';

/** The public key (`A…`) of a signing key. */
export function signingKeyId(key: string | ScopedSigningKeyClaim): string {
  return typeof key === 'string' ? key : key.key;
}

/** The public keys of all signing keys of an account. */
export function signingKeyIds({ nats }: Pick<AccountClaims, 'nats'>): string[] {
  return (nats.signing_keys ?? []).map(signingKeyId);
}
