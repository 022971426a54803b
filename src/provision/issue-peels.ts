// Issues credentials with a home's signing key, and records them in the home.
import { issueBatches } from './issue-batches.js';
import type { IssuePeelOptions } from './issue-options.js';
import type { BatchNote, DoneBatch, ProductKind, ProductOf } from './product.js';
import type { TrustDomain } from '../trust/domain.js';
import { recordAllIssued, type IssuedPeel } from '../trust/issued.js';
import { readyToIssue } from '../trust/ready-to-issue.js';

/**
 * Issues credentials for many peels with a home's peel signing key. They are scoped, and durably recorded in the home
 * before they are used, so that each can be revoked by ID in any case.
 *
 * @param product the product to make from the credentials
 * @throws as `issueBatches`, `readyToIssue` and `TrustDomain.peelSigner`; FileError when they cannot be recorded
 */
export async function* issuePeelsOf<Kind extends ProductKind>(
  domain: TrustDomain,
  ids: Iterable<string> | AsyncIterable<string>,
  product: ProductOf<Kind>,
  options: Omit<IssuePeelOptions, 'signer' | 'issuerAccount' | 'scoped' | 'permissions'> = {},
): AsyncGenerator<DoneBatch<Kind>, void, undefined> {
  const now = readyToIssue(domain, options.now);
  const signer = await domain.peelSigner();
  try {
    const issuerAccount = domain.publicKeys.account;
    const note = (batch: BatchNote) => recordAllIssued(domain.paths.issued, entriesOf(batch));
    yield* issueBatches<Kind>(ids, { ...options, now, signer, issuerAccount, scoped: true, product, note });
  } finally {
    signer.wipe();
  }
}

function entriesOf({ peelIds, publicKeys, issuer, issuedAt, expiresAt }: BatchNote): IssuedPeel[] {
  return peelIds.map((peelId, i) => ({
    peelId,
    publicKey: publicKeys[i] as string,
    issuer,
    issuedAt,
    expiresAt,
  }));
}
