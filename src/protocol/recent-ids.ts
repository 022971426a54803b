// Deduplicates events by their ID.

/** The number of IDs to remember: duplicates come close together. */
const MAX_IDS = 10_000;

/**
 * Deduplicates events. JetStream stores an event once by its ID, but subscribers receive every publish of it, and a
 * master that is unsure whether an event was stored publishes it again.
 */
export class RecentIds {
  readonly #ids = new Set<string>();

  /** Remembers an ID, and returns whether it is new. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    for (const oldest of this.#ids) {
      if (this.#ids.size <= MAX_IDS) break;
      this.#ids.delete(oldest);
    }
    return true;
  }
}
