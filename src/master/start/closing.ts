// Ends what was started, in the reverse order, in a limited time.
import { STOP_CUT_MS } from '../../timing.js';

/** What was started and has to end: the last first. */
export class Closing {
  readonly #parts: (() => void | Promise<void>)[] = [];
  #limit: NodeJS.Timeout | undefined;
  /** Resolves a moment after {@link Closing.hurry}: what a part still waits for then will not come. */
  readonly #isOver: Promise<void>;
  #over: () => void = () => undefined;

  constructor() {
    this.#isOver = new Promise((resolve) => (this.#over = resolve));
  }

  /** Has something end later. Gives it back. */
  add<T>(part: T, close: (part: T) => void | Promise<void>): T {
    this.#parts.push(() => close(part));
    return part;
  }

  /** From now on, all parts together have {@link STOP_CUT_MS}: the connections are closed. */
  hurry(): void {
    this.#limit ??= setTimeout(this.#over, STOP_CUT_MS);
  }

  /** Ends every part, also after one that fails to end. @returns what those threw */
  async closeAll(): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const close of this.#parts.splice(0).reverse()) {
      try {
        await Promise.race([close(), this.#isOver]);
      } catch (error) {
        failures.push(error);
      }
    }
    clearTimeout(this.#limit);
    return failures;
  }
}
