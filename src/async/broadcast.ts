// Delivers each event to every open async iterator.
import { QueuedIteratorImpl } from '@nats-io/nats-core/internal';

/** Delivers each event to every iterator that was opened before it, as `status()` of the client does. */
export class Broadcast<T> {
  readonly #iterators = new Set<QueuedIteratorImpl<T>>();
  #ended = false;

  /** An iterator over events from now on; it ends with the broadcast, or when its loop is left. */
  iterate(): AsyncIterable<T> {
    const iterator = new QueuedIteratorImpl<T>();
    if (this.#ended) {
      iterator.stop();
      return iterator;
    }
    this.#iterators.add(iterator);
    void iterator.iterClosed.then(() => this.#iterators.delete(iterator));
    return iterator;
  }

  emit(event: T): void {
    for (const iterator of this.#iterators) iterator.push(event);
  }

  /** Ends every iterator after its queued events. */
  end(): void {
    this.#ended = true;
    for (const iterator of this.#iterators) iterator.push((() => iterator.stop()) as unknown as T);
  }
}
