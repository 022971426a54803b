// Groups a stream of values into batches.
import { setImmediate } from 'node:timers/promises';

/**
 * Groups a source into arrays: full ones if the source is fast, partial ones if it is slow, so that an ID typed by a
 * person is not held back.
 *
 * @param size the maximum size of a batch
 */
export async function* batchesOf<T>(
  source: Iterable<T> | AsyncIterable<T>,
  size: number,
): AsyncGenerator<T[], void, undefined> {
  const iterator: Iterator<T> | AsyncIterator<T> =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let ended = false;
  try {
    let batch: T[] = [];
    let next = Promise.resolve(iterator.next());
    for (;;) {
      const pause = setImmediate('pause' as const);
      for (;;) {
        const found = batch.length === 0 ? await next : await Promise.race([next, pause]);
        if (found === 'pause') break;
        if (found.done === true) {
          ended = true;
          if (batch.length > 0) yield batch;
          return;
        }
        batch.push(found.value);
        next = Promise.resolve(iterator.next());
        if (batch.length === size) break;
      }
      yield batch;
      batch = [];
    }
  } finally {
    if (!ended) await iterator.return?.();
  }
}
