// Lists the revocations of an account.
import { TrustError } from '../../errors.js';
import type { AccountClaims } from '../../jwt/claims.js';
import { isPublicKey } from '../../nkeys/validate.js';
import { excerpt } from '../../text/excerpt.js';
import type { IssuedPeel } from '../issued.js';

/** A revocation for display. */
export interface Revocation {
  /** `U…`, or `*` for everyone. */
  publicKey: string;
  /** JWTs issued up to this time are revoked: seconds since 1970. */
  upTo: number;
  /** The peel ID, if this home issued the key. */
  peelId: string | undefined;
}

/** The revocations of an account, newest first. */
export function revocationsOf(claims: AccountClaims, issued: readonly IssuedPeel[] = []): Revocation[] {
  const ids = new Map(issued.map(({ publicKey, peelId }) => [publicKey, peelId]));
  return Object.entries(claims.nats.revocations ?? {})
    .map(([publicKey, upTo]) => ({ publicKey, upTo, peelId: ids.get(publicKey) }))
    .sort((a, b) => b.upTo - a.upTo || (a.publicKey < b.publicKey ? -1 : 1));
}

/**
 * Validates a public key to revoke.
 *
 * @throws TrustError `ERR_TRUST_NOTHING_TO_REVOKE`
 */
export function checkRevocable(home: string, publicKey: string): void {
  if (isPublicKey(publicKey, 'user')) return;
  throw new TrustError(
    'ERR_TRUST_NOTHING_TO_REVOKE',
    home,
    `"${excerpt(publicKey)}" is not a user's public key (U…): "zester creds inspect" shows it for a .creds file`,
  );
}
