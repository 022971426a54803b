// Reads what a master must know of the recovery credential that a peel has.
import { JwtError } from '../errors.js';
import { decodeUserJwt } from '../jwt/decode.js';
import { expirySeconds } from '../jwt/expiry.js';
import { recoveriesOf } from '../permissions/recovery.js';
import type { HeldRecovery } from '../protocol/messages.js';

/** The facts of a recovery credential; undefined: there is none, or it cannot be used. */
export function heldRecovery(jwt: string | undefined): HeldRecovery | undefined {
  if (jwt === undefined) return undefined;
  try {
    const claims = decodeUserJwt(jwt);
    const expiresAt = expirySeconds(claims);
    if (expiresAt === undefined) return undefined;
    return { issuer: claims.iss, issuedAt: claims.iat, expiresAt, count: recoveriesOf(claims) };
  } catch (error) {
    if (error instanceof JwtError) return undefined;
    throw error;
  }
}
