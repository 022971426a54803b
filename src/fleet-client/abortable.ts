// Ends what is under way with the reason of a signal.
import { orAborted } from '../async/or-aborted.js';

/** Runs promises and iterations that end with a signal's reason as soon as it is aborted; without a signal, as they are. */
export class Abortable {
  readonly signal: AbortSignal | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal;
  }

  /** The same, ended by another signal, too. */
  with(signal: AbortSignal | undefined): Abortable {
    if (signal === undefined) return this;
    return new Abortable(this.signal === undefined ? signal : AbortSignal.any([this.signal, signal]));
  }

  /** Starts something, unless the signal is aborted. @throws what it rejects with; the signal's reason */
  async run<T>(start: () => Promise<T>): Promise<T> {
    const { signal } = this;
    signal?.throwIfAborted();
    return signal === undefined ? start() : orAborted(start(), signal);
  }

  /** @throws what the iteration throws; the signal's reason */
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
      // a generator that waits for its own next part ends when that comes: nobody waits for it
      if (left) void iterator.return?.(undefined)?.then(undefined, () => undefined);
    }
  }
}
