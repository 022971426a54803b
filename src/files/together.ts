import { setTimeout as delay } from 'node:timers/promises';

/**
 * One action for all that ask for it at about the same time, such as a sync: it begins after they asked, and those that
 * ask while it runs share the next.
 */
export class Together<T> {
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
