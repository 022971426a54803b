// Reads what a master must know of the recovery credential that a peel has.
import * as v from 'valibot';
import { JwtError } from '../errors.js';
import { decodeUserJwt } from '../jwt/decode.js';
import { expirySeconds } from '../jwt/expiry.js';
import { recoveriesOf } from '../permissions/recovery.js';
import { heldRecoverySchema, type HeldRecovery } from '../protocol/messages.js';

/** The facts of a recovery credential; undefined: there is none, or it cannot be used. */
export function heldRecovery(jwt: string | undefined): HeldRecovery | undefined {
  if (jwt === undefined) return undefined;
  try {
    const claims = decodeUserJwt(jwt);
    const { iss: issuer, iat: issuedAt } = claims;
    const facts = { issuer, issuedAt, expiresAt: expirySeconds(claims), count: recoveriesOf(claims) };
    // a master would refuse the renewal for facts that no master has signed
    const read = v.safeParse(heldRecoverySchema, facts);
    return read.success ? read.output : undefined;
  } catch (error) {
    if (error instanceof JwtError) return undefined;
    throw error;
  }
}
