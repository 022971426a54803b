// Makes promises and iterations abortable by a signal.
import { orAborted } from '../async/or-aborted.js';

/**
 * Runs promises and iterations so that they fail with a signal's reason as soon as it is aborted; without a signal,
 * they are unchanged.
 */
export class Abortable {
  readonly signal: AbortSignal | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal;
  }

  /** The same, also aborted by another signal. */
  with(signal: AbortSignal | undefined): Abortable {
    if (signal === undefined) return this;
    return new Abortable(this.signal === undefined ? signal : AbortSignal.any([this.signal, signal]));
  }

  /** Starts work, unless the signal is aborted. @throws its rejection; the signal's reason */
  async run<T>(start: () => Promise<T>): Promise<T> {
    const { signal } = this;
    signal?.throwIfAborted();
    return signal === undefined ? start() : orAborted(start(), signal);
  }

  /** @throws errors of the iteration; the signal's reason */
  async *iterate<T>(iterable: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    const iterator = iterable[Symbol.asyncIterator]();
    let left = true;
    try {
      for (;;) {
        const next = await this.run(() => iterator.next());
        if (next.done === true) {
          left = false;
          return;
        }
        yield next.value;
      }
    } finally {
      // do not wait: a generator that is waiting for its next part ends only when that part arrives
      if (left) void iterator.return?.(undefined)?.then(undefined, () => undefined);
    }
  }
}
