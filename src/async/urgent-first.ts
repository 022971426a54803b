// Lets urgent work go before background work.
import { withDeadline } from './deadline.js';

/** Background work pauses while urgent work runs, so that urgent work does not wait for more than one step of it. */
export class UrgentFirst {
  #running = 0;
  #waiting: (() => void)[] = [];

  /** Runs urgent work. */
  async run<T>(act: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      return await act();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) for (const resume of this.#waiting.splice(0)) resume();
    }
  }

  /**
   * The pauses of one piece of background work.
   *
   * @param limitMs the longest time that it pauses in all, in milliseconds, so that it ends even if there is always
   *   something urgent
   * @returns to be awaited before each step: resolves when nothing urgent is running
   */
  pauses(limitMs: number): () => Promise<void> {
    let left = limitMs;
    // shared, since steps that pause at the same time pause once
    let pause: Promise<void> | undefined;
    const pauseOnce = async () => {
      const startedAt = performance.now();
      const idle = new Promise<void>((resolve) => this.#waiting.push(resolve));
      await withDeadline(idle, Date.now() + left);
      left -= performance.now() - startedAt;
      pause = undefined;
    };
    return async () => {
      while (this.#running > 0 && left > 0) await (pause ??= pauseOnce());
    };
  }
}
