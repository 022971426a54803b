// Re-signs account and operator JWTs with changed claims.
import type { KeyBundle } from '../nkeys/key-bundle.js';
import type { AccountClaims, OperatorClaims, UserClaims } from './claims.js';
import { decodeAccountJwt } from './decode.js';
import { signClaims } from './encode.js';
import { withChangedMembers } from './json-members.js';
import { wrongSigner } from './signer.js';
import { nowSeconds, type Clock } from './time.js';

/**
 * Signs an account JWT again with changed claims, decoded already: with ten thousand revocations in it, decoding takes tens of
 * milliseconds. Everything that is not changed stays as it was written, fields that Zester does not know too: the account may
 * have been made by another tool.
 *
 * The new one is always issued later than the old, by a second in the future if need be: of two issued at the same time,
 * servers of a cluster do not agree which is the newer.
 *
 * @param claims those of the JWT, as `decodeAccountJwt` gave them
 * @param signer the operator's key or a signing key of it
 * @param change gives the new claims; `iat`, `iss` and `jti` are set here
 * @throws KeyError when the signer is not an operator's; JwtError when a changed claim holds a number that JavaScript cannot keep
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
 * As {@link resignDecodedAccount}, of a JWT: for what `reviseAccountJwt` does not do, such as taking everything away
 * that another tool did not know of.
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
 * Signs decoded claims again. Members that `change` leaves as they are (the same object) keep their text, so that what no
 * schema knows, and numbers of 64 bits, stay what they were. Nothing is checked of the signer.
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
  // the jti of before is another value than none, and so is left out
  const before = { ...claims, jti: null };
  const after: Record<string, unknown> = {};
  Object.assign(after, change(claims), { jti: undefined, iat, iss: signer.publicKey });
  return signClaims(withChangedMembers(payload, before, after, ['nats']), signer);
}
