import type { AccountClaims } from '../../src/jwt/claims.js';
import { decodeAccountJwt } from '../../src/jwt/decode.js';
import { resignDecodedAccount } from '../../src/jwt/resign.js';
import type { Clock } from '../../src/jwt/time.js';
import type { KeyBundle } from '../../src/nkeys/key-bundle.js';

/** Signs an account JWT again with any change, as another tool may have. */
export function resignAccountJwt(
  jwt: string,
  signer: KeyBundle,
  change: (claims: AccountClaims) => AccountClaims,
  options: { now?: Clock } = {},
): string {
  return resignDecodedAccount(jwt, decodeAccountJwt(jwt), signer, change, options);
}
