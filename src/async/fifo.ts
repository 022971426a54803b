// A first-in, first-out queue.

/** A queue whose operations take constant time on average, however long it is. */
export class Fifo<T> {
  #added: T[] = [];
  /** The oldest elements, the first one last. */
  #next: T[] = [];

  get size(): number {
    return this.#added.length + this.#next.length;
  }

  add(element: T): void {
    this.#added.push(element);
  }

  /** Removes the oldest element; undefined: there is none. */
  take(): T | undefined {
    if (this.#next.length === 0) {
      this.#next = this.#added.reverse();
      this.#added = [];
    }
    return this.#next.pop();
  }

  clear(): void {
    this.#added = [];
    this.#next = [];
  }
}
