// Groups a stream of values into batches.
import { setImmediate } from 'node:timers/promises';

/**
 * Puts what a source gives into arrays: full ones where it gives fast, and what there is where it makes wait, so that
 * an id typed by a person is not kept back until there are many.
 *
 * @param size the most that one holds
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
