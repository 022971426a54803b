import { availableParallelism } from 'node:os';
import { validatePeelId } from '../../permissions/peel-id.js';
import { batchesOf } from './batches.js';
import { issueBatch, type PeelCredential } from './issue-batch.js';
import { jwtOptionsOf, planOf, type IssuePeelOptions } from './issue-options.js';
import { WorkerPool } from './worker-pool.js';

/** Credentials that one message between threads carries. */
const BATCH = 64;
/** Batches that are made before threads are started. */
const BATCHES_WITHOUT_WORKERS = 3;
/** Batches on their way for each thread: one that it makes, one that waits for it. */
const BATCHES_PER_WORKER = 2;

/**
 * Issues credentials for many peels: for each id, in the order given, a new key, its JWT and the bytes of its `.creds`
 * file. Ids are read as they are needed and at most some hundred credentials are held, however many there are. Keys and
 * signatures are made on all cores. It writes no file and notes nothing in a home.
 *
 * @param ids peel ids; one that comes twice gets two credentials
 * @returns iterate it to its end or leave the loop: both end the threads
 * @throws PeelIdError at the first id that is none; JwtError, KeyError as `bootstrapPeelCreds`
 */
export async function* issuePeelCredentials(
  ids: Iterable<string> | AsyncIterable<string>,
  options: IssuePeelOptions,
): AsyncGenerator<PeelCredential, void, undefined> {
  for await (const batch of issuePeelBatches(ids, options)) yield* handOver(batch);
}

/** @internal As {@link issuePeelCredentials}, some at a time, so that what follows can be done for all of them at once. */
export async function* issuePeelBatches(
  ids: Iterable<string> | AsyncIterable<string>,
  options: IssuePeelOptions,
): AsyncGenerator<PeelCredential[], void, undefined> {
  const { signer, workers = availableParallelism(), now = Date.now } = options;
  const plan = planOf(options);
  jwtOptionsOf(plan, 'any', now()); // what is wrong with the options is told before an id is read
  let pool: WorkerPool | undefined;
  const underWay: Promise<PeelCredential[]>[] = [];
  let batches = 0;
  try {
    for await (const batch of batchesOf(ids, BATCH)) {
      for (const id of batch) validatePeelId(id);
      batches += 1;
      if (workers < 1 || batches <= BATCHES_WITHOUT_WORKERS) {
        yield issueBatch(batch, signer, plan, now());
        continue;
      }
      pool ??= new WorkerPool(options, workers);
      const made = pool.issue(batch, now());
      made.catch(() => undefined); // it is awaited below, perhaps later than it fails
      underWay.push(made);
      if (underWay.length >= pool.size * BATCHES_PER_WORKER) yield (await underWay.shift()) ?? [];
    }
    for (let made = underWay.shift(); made !== undefined; made = underWay.shift()) yield await made;
  } finally {
    await pool?.close();
    for (const made of await Promise.allSettled(underWay)) if (made.status === 'fulfilled') wipe(made.value);
  }
}

/** Gives each to the caller; those that it did not take are wiped. */
function* handOver(batch: PeelCredential[]): Generator<PeelCredential, void, undefined> {
  let taken = 0;
  try {
    for (const credential of batch) {
      taken += 1;
      yield credential;
    }
  } finally {
    wipe(batch.slice(taken));
  }
}

function wipe(batch: readonly PeelCredential[]): void {
  for (const { content } of batch) content.fill(0);
}
