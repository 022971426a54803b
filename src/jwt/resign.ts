import { JwtError } from '../errors.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import type { AccountClaims, OperatorClaims } from './claims.js';
import { decodeAccountJwt, decodeOperatorJwt } from './decode.js';
import { signClaims } from './encode.js';
import { isLatestRevocation } from './latest-seconds.js';
import { wrongSigner } from './signer.js';
import { nowSeconds, type Clock } from './time.js';

/**
 * Signs an account JWT anew with changed claims. Everything that is not changed stays as it was, fields that Zester does
 * not know too: the account may have been made by another tool.
 *
 * The new one is always issued later than the old, by a second in the future if need be: of two issued at the same time,
 * servers of a cluster do not agree which is the newer.
 *
 * @param signer the operator's key or a signing key of it
 * @param change gives the new claims; `iat`, `iss` and `jti` are set here
 * @throws KeyError when the signer is no operator's; JwtError when the old one does not decode, or holds a number that
 *   JSON in JavaScript cannot keep
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
 * As {@link resignAccountJwt}, for a JWT that is decoded already: with ten thousand revocations in it, decoding takes tens
 * of milliseconds.
 *
 * @param claims those of the JWT, as `decodeAccountJwt` gave them
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
 * Signs an operator JWT anew, as {@link resignAccountJwt} does an account's.
 *
 * @param operator the operator's identity key
 * @throws KeyError, JwtError
 */
export function resignOperatorJwt(
  jwt: string,
  operator: KeyBundle,
  change: (claims: OperatorClaims) => OperatorClaims,
  options: { now?: Clock } = {},
): string {
  const claims = decodeOperatorJwt(jwt);
  if (operator.publicKey !== claims.sub)
    throw wrongSigner('operator JWT', operator, `the operator ${claims.sub}`);
  return resign(jwt, claims, operator, change, options.now);
}

function resign<C extends { iat: number; iss: string; jti?: string }>(
  jwt: string,
  claims: C,
  signer: KeyBundle,
  change: (claims: C) => C,
  now: Clock | undefined,
): string {
  refuseNumbersLost(jwt);
  const iat = Math.max(nowSeconds(now), claims.iat + 1);
  // JSON leaves out what is undefined
  return signClaims(
    JSON.stringify({ ...change(claims), jti: undefined, iat, iss: signer.publicKey }),
    signer,
  );
}

/** Go has integers of 64 bits; one that a double cannot hold would come out as another. */
function refuseNumbersLost(jwt: string): void {
  const payload = Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8');
  if (!/[:[,]\s*-?\d{16}/.test(payload)) return; // none is that long
  JSON.parse(payload, (key, value: unknown) => {
    if (isLatestRevocation(key, value)) return value;
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw new JwtError(
        'ERR_JWT_CLAIMS',
        `the JWT's "${key}" is a number of more than 53 bits, which would not stay the same: set it to -1 (no limit) or ` +
          'to less, with the tool that the JWT was made with',
      );
    }
    return value;
  });
}
