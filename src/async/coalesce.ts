// Coalesces concurrent calls of one action into shared runs.
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Coalesces concurrent calls of one action, such as a sync. A run begins after the calls that it serves; callers that
 * arrive during a run share the next one.
 */
export class Coalescer<T> {
  readonly #act: () => Promise<T>;
  readonly #gatherMs: number;
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<T> | undefined;

  /** @param gatherMs how long to wait for further calls before a run, in milliseconds */
  constructor(act: () => Promise<T>, gatherMs = 0) {
    this.#act = act;
    this.#gatherMs = gatherMs;
  }

  /** Resolves with the result of a run that began after this call. @throws the action's error */
  run(): Promise<T> {
    this.#next ??= this.#running
      .catch(() => undefined) // already reported to its callers
      .then(() => (this.#gatherMs > 0 ? delay(this.#gatherMs) : undefined))
      .then(() => {
        this.#next = undefined;
        const running = this.#act();
        this.#running = running;
        return running;
      });
    return this.#next;
  }

  /** Waits until no run is pending, whatever the outcome. */
  async idle(): Promise<void> {
    await (this.#next ?? this.#running).catch(() => undefined);
  }
}
