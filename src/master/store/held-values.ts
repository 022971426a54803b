// The in-memory values of a bucket: keeps the newest revision of each, and detects changes.

/** A value and its revision in the bucket. */
export interface Held<T> {
  value: T;
  revision: number;
}

/** A change of a key. `value` is undefined if it was deleted, `before` if it did not exist. */
export interface ValueChange<T> {
  value: T | undefined;
  before: T | undefined;
}

/** Values by key. Ignores revisions older than the held one, so the order of arrival does not matter. */
export class HeldValues<T> {
  readonly #held = new Map<string, Held<T>>();

  get size(): number {
    return this.#held.size;
  }

  get(key: string): Held<T> | undefined {
    return this.#held.get(key);
  }

  *entries(): IterableIterator<[string, T]> {
    for (const [key, { value }] of this.#held) yield [key, value];
  }

  /** @returns undefined if the held value is as new, or newer */
  take(key: string, value: T, revision: number): ValueChange<T> | undefined {
    const before = this.#held.get(key);
    if (before !== undefined && before.revision >= revision) return undefined;
    this.#held.set(key, { value, revision });
    return { value, before: before?.value };
  }

  /**
   * Applies the deletion of a key at this revision.
   *
   * @returns undefined if it is not held, or the held value is newer
   */
  drop(key: string, revision: number): ValueChange<T> | undefined {
    const before = this.#held.get(key);
    if (before === undefined || before.revision >= revision) return undefined;
    this.#held.delete(key);
    return { value: undefined, before: before.value };
  }
}
