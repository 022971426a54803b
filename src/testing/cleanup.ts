// Ends what a test started, in reverse order.

/** Cleanup steps, run in reverse order, even if one fails. */
export class Cleanup {
  readonly #pending = new Set<() => unknown>();

  /**
   * Registers a cleanup step.
   *
   * @returns a function that runs it now, once; later calls, and {@link run}, then skip it
   */
  add(end: () => unknown): () => Promise<void> {
    let ended: Promise<unknown> | undefined;
    const once = () => (ended ??= Promise.resolve().then(end));
    this.#pending.add(once);
    return async () => {
      await once();
      this.#pending.delete(once);
    };
  }

  /** @throws AggregateError of the steps that failed */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (const end of [...this.#pending].reverse()) {
      try {
        await end();
      } catch (error) {
        failures.push(error);
      }
      this.#pending.delete(end as () => Promise<unknown>);
    }
    if (failures.length > 0)
      throw new AggregateError(failures, 'not everything that a test started has ended');
  }
}
