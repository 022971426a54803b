// The values of a bucket in memory: which of two revisions counts, and what a change is.

/** A value, and the revision that it has in the bucket. */
export interface Held<T> {
  value: T;
  revision: number;
}

/** What became of a key. `value` is undefined: it is gone; `before` is undefined: it was not there. */
export interface ValueChange<T> {
  value: T | undefined;
  before: T | undefined;
}

/** Values by key. What is older than what is held changes nothing, in whatever order it is heard. */
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

  /** @returns undefined: what is held is as new, or newer */
  take(key: string, value: T, revision: number): ValueChange<T> | undefined {
    const before = this.#held.get(key);
    if (before !== undefined && before.revision >= revision) return undefined;
    this.#held.set(key, { value, revision });
    return { value, before: before?.value };
  }

  /** The key was deleted with this revision. @returns undefined: it is not held, or what is held is newer */
  drop(key: string, revision: number): ValueChange<T> | undefined {
    const before = this.#held.get(key);
    if (before === undefined || before.revision >= revision) return undefined;
    this.#held.delete(key);
    return { value: undefined, before: before.value };
  }
}
