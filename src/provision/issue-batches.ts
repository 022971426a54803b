// Issues batches of credentials in worker threads.
import { validatePeelId } from '../permissions/peel-id.js';
import { BatchMaker, wipeCredentials, type BatchOptions } from './batch-maker.js';
import { nextStep } from './batch-schedule.js';
import { batchesOf } from './batches.js';
import type { DoneBatch, ProductKind, Results } from './product.js';

/** Credentials per message between threads. */
const BATCH = 64;

/**
 * Issues credentials for many peels in batches, and makes the product of each batch in the thread that issued it.
 * Batches come in the order of the IDs.
 *
 * @throws PeelIdError, JwtError, KeyError as `issuePeelCredentials`; errors of `note` and of the product
 */
export async function* issueBatches<Kind extends ProductKind>(
  ids: Iterable<string> | AsyncIterable<string>,
  options: BatchOptions<Kind>,
): AsyncGenerator<DoneBatch<Kind>, void, undefined> {
  const maker = await BatchMaker.open(options);
  const source = batchesOf(ids, BATCH);
  const underWay: Promise<DoneBatch<Kind>>[] = [];
  let begun = 0;
  let readAll = false;
  let next: Promise<IteratorResult<string[], void>> | undefined;
  try {
    for (;;) {
      let step = nextStep({ readAll, begun, underWay: underWay.length }, maker.workers);
      if (step === 'end') return;
      if (step !== 'handOut') next ??= source.next();
      if (step === 'either') step = await firstOf(next, underWay[0]);
      if (step === 'handOut') {
        const done = (await underWay.shift()) as DoneBatch<Kind>;
        yield done;
        wipe(done);
        continue;
      }
      const found = await next;
      next = undefined;
      if (found === undefined || found.done === true) {
        readAll = true;
        continue;
      }
      for (const id of found.value) validatePeelId(id);
      begun += 1;
      const done = maker.make(begun, found.value);
      done.catch(() => undefined); // awaited above, possibly after it has failed
      underWay.push(done);
    }
  } finally {
    // an iterator that is waiting for an ID stops only when that ID arrives
    const ended = source.return();
    if (next === undefined) await ended;
    else void next.then(() => ended).catch(() => undefined);
    for (const done of await Promise.allSettled(underWay)) {
      if (done.status === 'fulfilled') wipeAll(done.value.result);
    }
    await maker.close();
  }
}

/** Resolves with the first that is ready: IDs for another batch, or the oldest batch. */
function firstOf(
  ids: Promise<unknown> | undefined,
  oldest: Promise<unknown> | undefined,
): Promise<'read' | 'handOut'> {
  return Promise.race([
    Promise.resolve(ids).then(() => 'read' as const),
    Promise.resolve(oldest).then(() => 'handOut' as const),
  ]);
}

/** Documents are valid only while the batch is processed; the consumer owns credentials and files. */
function wipe({ result, recycle }: DoneBatch<ProductKind>): void {
  if (!(result instanceof Uint8Array)) return;
  result.fill(0);
  recycle(result);
}

/** For a batch that was not consumed. */
function wipeAll(result: Results[ProductKind]): void {
  if (Array.isArray(result)) wipeCredentials(result);
  else if (result instanceof Uint8Array) result.fill(0);
  else result.bytes.fill(0);
}
