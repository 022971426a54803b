// Coalesces concurrent calls of one action into shared runs.
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Coalesces concurrent calls of one action, such as a sync. A run begins after the calls that it serves; callers that arrive
 * during a run share the next one.
 */
export class Coalescer<T> {
  readonly #act: () => Promise<T>;
  readonly #gatherMs: number;
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<T> | undefined;

  /** @param gatherMs how long it waits for others to ask, in milliseconds */
  constructor(act: () => Promise<T>, gatherMs = 0) {
    this.#act = act;
    this.#gatherMs = gatherMs;
  }

  /** Resolves when an action has ended that began after this call. @throws what the action throws */
  run(): Promise<T> {
    this.#next ??= this.#running
      .catch(() => undefined) // those that it was for know
      .then(() => (this.#gatherMs > 0 ? delay(this.#gatherMs) : undefined))
      .then(() => {
        this.#next = undefined;
        const running = this.#act();
        this.#running = running;
        return running;
      });
    return this.#next;
  }

  /** Waits for those under way, however they end. */
  async idle(): Promise<void> {
    await (this.#next ?? this.#running).catch(() => undefined);
  }
}
