// Issues batches of credentials in worker threads.
import { availableParallelism } from 'node:os';
import { timeClaims } from '../jwt/time.js';
import { validatePeelId } from '../permissions/peel-id.js';
import { batchesOf } from './batches.js';
import { finisherOf } from './finish.js';
import { issueBatch, type PeelCredential } from './issue-batch.js';
import { jwtOptionsOf, planOf, type IssuePeelOptions } from './issue-options.js';
import type { BatchNote, DoneBatch, ProductKind, ProductOf, Results } from './product.js';
import { WorkerPool } from './worker-pool.js';

/** Credentials that one message between threads carries. */
const BATCH = 64;
/** Batches that are made before threads are started. */
const BATCHES_WITHOUT_WORKERS = 3;
/** Batches on their way for each thread: one that it makes, one that waits for it. */
const BATCHES_PER_WORKER = 2;
/** What {@link issueBatches} makes, and what it does on the way. */
export interface BatchOptions<Kind extends ProductKind> extends IssuePeelOptions {
  product: ProductOf<Kind>;
  /** Is waited for before anything is done with a batch: nothing leaves that was not noted. Called in the order of the ids. */
  note?: (batch: BatchNote) => Promise<void>;
}

/**
 * Issues credentials for many peels, some at a time, and makes a product of each batch in the thread that made it. Batches
 * come in the order of the ids.
 *
 * @throws PeelIdError, JwtError, KeyError as `issuePeelCredentials`; what `note` throws; what the product throws
 */
export async function* issueBatches<Kind extends ProductKind>(
  ids: Iterable<string> | AsyncIterable<string>,
  options: BatchOptions<Kind>,
): AsyncGenerator<DoneBatch<Kind>, void, undefined> {
  const { signer, product, note, now = Date.now } = options;
  let workers = options.workers ?? defaultWorkers();
  const plan = planOf(options);
  jwtOptionsOf(plan, 'any', now()); // what is wrong with the options is told before an id is read
  const finish = await finisherOf<Kind>(product);
  const noteOf = (peelIds: readonly string[], publicKeys: readonly string[], nowMs: number): BatchNote => {
    const { iat, exp } = timeClaims({ ...plan, now: () => nowMs });
    return { peelIds, publicKeys, issuer: signer.publicKey, issuedAt: iat, expiresAt: exp };
  };

  let pool: WorkerPool | undefined;
  let turn: Promise<void> = Promise.resolve();
  /** Has a thread make it. */
  const start = async (threads: WorkerPool, peelIds: readonly string[]): Promise<DoneBatch<Kind>> => {
    const nowMs = now();
    const before = turn;
    let passOn: () => void = () => undefined;
    turn = new Promise((resolve) => (passOn = resolve));
    const noted = async (publicKeys: readonly string[]) => {
      await before;
      await note?.(noteOf(peelIds, publicKeys, nowMs));
      passOn();
    };
    try {
      const result = await threads.issue(peelIds, nowMs, note && noted);
      const recycle = (bytes: Uint8Array) => threads.recycle(bytes);
      return { peelIds, result: result as Results[Kind], recycle };
    } finally {
      passOn();
    }
  };
  /** Makes it here. */
  const make = async (peelIds: readonly string[]): Promise<DoneBatch<Kind>> => {
    const nowMs = now();
    const made = issueBatch(peelIds, signer, plan, nowMs);
    try {
      const publicKeys = made.map(({ publicKey }) => publicKey);
      await note?.(noteOf(peelIds, publicKeys, nowMs));
    } catch (error) {
      wipeCredentials(made);
      throw error;
    }
    return { peelIds, result: await finish(made), recycle: () => undefined };
  };

  const source = batchesOf(ids, BATCH);
  const underWay: Promise<DoneBatch<Kind>>[] = [];
  let batches = 0;
  let next: Promise<IteratorResult<string[], void>> | undefined;
  let sourceEnded = false;
  try {
    while (!sourceEnded || underWay.length > 0) {
      const [oldest] = underWay;
      const full = pool !== undefined && underWay.length >= pool.size * BATCHES_PER_WORKER;
      if (!sourceEnded && !full && next === undefined) next = source.next();
      // ids may be slow to come: what is made by then is not kept back until they do
      const made =
        oldest && next ? await Promise.race([next.then(() => false), oldest.then(() => true)]) : !next;
      if (made || full) {
        const done = (await underWay.shift()) as DoneBatch<Kind>;
        yield done;
        wipe(done.result);
        if (done.result instanceof Uint8Array) pool?.recycle(done.result);
        continue;
      }
      const found = await next;
      next = undefined;
      if (found === undefined || found.done === true) {
        sourceEnded = true;
        continue;
      }
      const batch = found.value;
      for (const id of batch) validatePeelId(id);
      batches += 1;
      if (workers >= 1 && pool === undefined && batches > BATCHES_WITHOUT_WORKERS) {
        pool = WorkerPool.start(options, product, workers);
        if (pool === undefined) workers = 0;
      }
      if (pool === undefined) {
        const done = await make(batch);
        yield done;
        wipe(done.result);
        continue;
      }
      const done = start(pool, batch);
      done.catch(() => undefined); // it is awaited above, perhaps later than it fails
      underWay.push(done);
    }
  } finally {
    // one that still waits for an id is asked to stop, and does so when that id arrives
    const ended = source.return();
    if (next === undefined) await ended;
    else void next.then(() => ended).catch(() => undefined);
    for (const done of await Promise.allSettled(underWay)) {
      if (done.status === 'rejected') continue;
      const { result } = done.value;
      // unclaimed
      if (Array.isArray(result)) wipeCredentials(result);
      else if ('bytes' in result) result.bytes.fill(0);
      wipe(result);
    }
    await pool?.close();
  }
}

/** Documents are only lent while the batch is processed; credentials and files belong to their taker. */
function wipe(result: Results[ProductKind]): void {
  if (result instanceof Uint8Array) result.fill(0);
}

export function wipeCredentials(credentials: readonly PeelCredential[]): void {
  for (const { content } of credentials) content.fill(0);
}

/** More threads than one only where there is more than one core to run them. */
function defaultWorkers(): number {
  const cores = availableParallelism();
  return cores > 1 ? cores : 0;
}
