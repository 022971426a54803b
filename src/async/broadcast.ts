// Delivers each event to every open async iterator.
import { QueuedIteratorImpl } from '@nats-io/nats-core/internal';

/** Gives each event to every iterator that was asked for before it, as `status()` of the client does. */
export class Broadcast<T> {
  readonly #iterators = new Set<QueuedIteratorImpl<T>>();
  #ended = false;

  /** An iterator of what comes from now on; it ends with the broadcast, or when its loop is left. */
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

  /** Ends every iterator after what it was given. */
  end(): void {
    this.#ended = true;
    for (const iterator of this.#iterators) iterator.push((() => iterator.stop()) as unknown as T);
  }
}
