import type { PeelCredential } from '../creds/bulk/issue-batch.js';
import type { IssuePeelOptions } from '../creds/bulk/issue-options.js';
import { issuePeelBatches } from '../creds/bulk/issue-peel-credentials.js';
import type { TrustDomain } from './domain.js';
import { noteAllIssued, type IssuedPeel } from './issued.js';

/**
 * Issues credentials for many peels with a home's peel signing key: scoped, and noted in the home, durably, before the
 * caller is given them, so that each can be revoked by its id whatever becomes of it.
 *
 * @throws as `issuePeelCredentials` and `TrustDomain.peelSigner`; FileError when they cannot be noted
 */
export async function* issuePeelsOf(
  domain: TrustDomain,
  ids: Iterable<string> | AsyncIterable<string>,
  options: Omit<IssuePeelOptions, 'signer' | 'issuerAccount' | 'scoped' | 'permissions'> = {},
): AsyncGenerator<PeelCredential, void, undefined> {
  const signer = await domain.peelSigner();
  try {
    const issuerAccount = domain.publicKeys.account;
    const batches = issuePeelBatches(ids, { ...options, signer, issuerAccount, scoped: true });
    for await (const batch of batches) {
      await noteAllIssued(domain.paths.issued, batch.map(entryOf));
      yield* batch;
    }
  } finally {
    signer.wipe();
  }
}

function entryOf({ peelId, publicKey, jwt }: PeelCredential): IssuedPeel {
  // our own token, made just now: there is nothing to check
  const payload = Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString();
  const { iss, iat, exp } = JSON.parse(payload) as { iss: string; iat: number; exp?: number };
  return { peelId, publicKey, issuer: iss, issuedAt: iat, expiresAt: exp };
}
