// Closes started parts in reverse order, within a limited time.
import { STOP_CUT_MS } from '../../timing.js';

/** The started parts to close, last first. */
export class Closing {
  readonly #parts: (() => void | Promise<void>)[] = [];
  #limit: NodeJS.Timeout | undefined;
  /** Resolves a moment after {@link Closing.hurry}: parts should stop waiting then. */
  readonly #isOver: Promise<void>;
  #over: () => void = () => undefined;

  constructor() {
    this.#isOver = new Promise((resolve) => (this.#over = resolve));
  }

  /** Registers a part to close later, and returns it. */
  add<T>(part: T, close: (part: T) => void | Promise<void>): T {
    this.#parts.push(() => close(part));
    return part;
  }

  /** Gives all parts together {@link STOP_CUT_MS} from now on: the connections are closed. */
  hurry(): void {
    this.#limit ??= setTimeout(this.#over, STOP_CUT_MS);
  }

  /** Closes every part, even after one fails. @returns the errors */
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
