// Deduplicates events by their ID.

/** How many IDs are kept: duplicates come close together. */
const KEPT = 10_000;

/**
 * Passes each event on once. JetStream stores an event once by its ID, but subscribers receive it as often as it is
 * published, and a master that is unsure publishes it again.
 */
export class ToldOnce {
  readonly #ids = new Set<string>();

  /** Whether it is new. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    for (const oldest of this.#ids) {
      if (this.#ids.size <= KEPT) break;
      this.#ids.delete(oldest);
    }
    return true;
  }
}
