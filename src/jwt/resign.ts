// Re-signs account and operator JWTs with changed claims.
import type { KeyBundle } from '../nkeys/key-bundle.js';
import type { AccountClaims, OperatorClaims, UserClaims } from './claims.js';
import { decodeAccountJwt } from './decode.js';
import { signClaims } from './encode.js';
import { withChangedMembers } from './json-members.js';
import { wrongSigner } from './signer.js';
import { nowSeconds, type Clock } from './time.js';

/**
 * Re-signs an account JWT with changed claims. Takes decoded claims, because decoding ten thousand revocations takes
 * tens of milliseconds. Unchanged members keep their text, including fields that Zester does not know: another tool may
 * have created the account.
 *
 * The new JWT always has a later issue time, a second in the future if necessary: servers of a cluster do not agree
 * which of two JWTs with the same issue time is newer.
 *
 * @param claims the claims of the JWT, as returned by `decodeAccountJwt`
 * @param signer the operator's key or one of its signing keys
 * @param change returns the new claims; `iat`, `iss` and `jti` are set here
 * @throws KeyError when the signer is not an operator key; JwtError when a changed claim has a number that JavaScript
 *   cannot represent
 */
export function resignDecodedAccount(
  jwt: string,
  claims: AccountClaims,
  signer: KeyBundle,
  change: (claims: AccountClaims) => AccountClaims,
  options: { now?: Clock } = {},
): string {
  if (signer.role !== 'operator') throw wrongSigner('account JWT', signer, 'operator');
  return resign(jwt, claims, signer, change, options.now);
}

/**
 * Like {@link resignDecodedAccount}, for an encoded JWT: for changes that `reviseAccountJwt` does not support, such as
 * dropping every claim that another tool does not know.
 *
 * @throws as {@link resignDecodedAccount}; JwtError when the JWT cannot be decoded
 */
export function resignAccountJwt(
  jwt: string,
  signer: KeyBundle,
  change: (claims: AccountClaims) => AccountClaims,
  options: { now?: Clock } = {},
): string {
  return resignDecodedAccount(jwt, decodeAccountJwt(jwt), signer, change, options);
}

/**
 * Re-signs decoded claims. Members that `change` keeps (the same object) keep their text, so that unknown fields and
 * 64-bit numbers are preserved. The signer is not checked.
 */
export function resign<C extends OperatorClaims | AccountClaims | UserClaims>(
  jwt: string,
  claims: C,
  signer: KeyBundle,
  change: (claims: C) => C,
  now: Clock | undefined,
): string {
  const payload = Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8');
  const iat = Math.max(nowSeconds(now), claims.iat + 1);
  // null differs from undefined, so the old jti is dropped
  const before = { ...claims, jti: null };
  const after: Record<string, unknown> = {};
  Object.assign(after, change(claims), { jti: undefined, iat, iss: signer.publicKey });
  return signClaims(withChangedMembers(payload, before, after, ['nats']), signer);
}
