// issuePeelCredentials: issues credentials for a stream of peel IDs.
import type { PeelCredential } from './issue-batch.js';
import { wipeCredentials } from './batch-maker.js';
import { issueBatches } from './issue-batches.js';
import { jwtOptionsError } from '../jwt/options-error.js';
import { anything, bag, checkOptions, number, text, type Entries } from '../options/check-options.js';
import { ROLE_ENTRIES } from '../permissions/roles.js';
import type { IssuePeelOptions } from './issue-options.js';

const ISSUE = bag(
  {
    ...ROLE_ENTRIES,
    signer: anything,
    issuerAccount: text,
    workers: number,
    signal: anything,
  } satisfies Entries<IssuePeelOptions>,
  { required: ['signer'] },
);

/**
 * Issues credentials for many peels: for each ID, in order, a new key, its JWT and the bytes of its `.creds` file.
 * IDs are read on demand, and at most a few hundred credentials are held in memory, however many there are. Keys and
 * signatures are generated on all cores.
 *
 * Writes no file, and records nothing in a home.
 *
 * @param ids peel IDs; a duplicate ID gets two credentials
 * @returns an iterator; iterating to the end and leaving the loop both stop the threads
 * @throws the signal's reason; PeelIdError at the first invalid ID; JwtError, KeyError as `bootstrapPeelCreds`
 * @example
 * import { writeFile } from 'node:fs/promises';
 * import { issuePeelCredentials, loadKeyBundleFromFile } from 'zester';
 *
 * const signer = await loadKeyBundleFromFile('account', 'account.seed');
 * for await (const { peelId, content } of issuePeelCredentials(['web-05', 'web-06'], { signer })) {
 *   await writeFile(`${peelId}.creds`, content, { mode: 0o600 });
 *   content.fill(0);
 * }
 */
export async function* issuePeelCredentials(
  ids: Iterable<string> | AsyncIterable<string>,
  options: IssuePeelOptions,
): AsyncGenerator<PeelCredential, void, undefined> {
  checkOptions('issuePeelCredentials', options, ISSUE, jwtOptionsError);
  // a string would be iterated by its characters
  if (typeof ids !== 'object' || ids === null)
    throw jwtOptionsError(`the peel IDs are a list, this is a ${typeof ids}: give [id]`);
  const batches = issueBatches(ids, { ...options, product: { kind: 'credentials' } });
  const { signal } = options;
  signal?.throwIfAborted();
  for await (const { result } of batches) {
    for (const credential of handOver(result)) {
      if (signal?.aborted === true) credential.content.fill(0);
      signal?.throwIfAborted();
      yield credential;
    }
  }
}

/** @internal Yields each credential to the caller; wipes those that were not consumed. */
export function* handOver(batch: PeelCredential[]): Generator<PeelCredential, void, undefined> {
  let taken = 0;
  try {
    for (const credential of batch) {
      taken += 1;
      yield credential;
    }
  } finally {
    wipeCredentials(batch.slice(taken));
  }
}
