// Decides the state of an admin's credentials. Pure.
import { isRevoked } from '../jwt/chain.js';
import type { AddedAdmin } from './added-admins.js';

/** The state of an admin's credentials. */
export type AdminState = 'active' | 'expired' | 'revoked';

/**
 * The state of an admin's credentials. A removed admin is revoked, even if the account JWT does not say so: the
 * credentials of one that could not be added were never written.
 *
 * @param revocations of the newest account JWT: the lists of admins do not know a revocation by key or by time
 * @param nowS seconds since 1970
 */
export function adminState(
  { publicKey, issuedAt, expiresAt, removedAt }: AddedAdmin,
  revocations: Readonly<Record<string, number>> | undefined,
  nowS: number,
): AdminState {
  if (removedAt !== undefined || isRevoked(revocations ?? {}, publicKey, issuedAt)) return 'revoked';
  return expiresAt !== undefined && expiresAt <= nowS ? 'expired' : 'active';
}
