// Closes started parts in reverse order, within a limited time.
import { STOP_CUT_MS } from '../../timing.js';

/** The started parts to close, last first. */
export class Closing {
  readonly #parts: (() => void | Promise<void>)[] = [];
  #limit: NodeJS.Timeout | undefined;
  /** Resolves a moment after {@link Closing.hurry}: parts should stop waiting then. */
  readonly #timedOut: Promise<void>;
  #timeOut: () => void = () => undefined;

  constructor() {
    this.#timedOut = new Promise((resolve) => (this.#timeOut = resolve));
  }

  /** Registers a part to close later, and returns it. */
  add<T>(part: T, close: (part: T) => void | Promise<void>): T {
    this.#parts.push(() => close(part));
    return part;
  }

  /** Limits the time for all parts together to {@link STOP_CUT_MS} from now on, because the connections are closed. */
  hurry(): void {
    this.#limit ??= setTimeout(this.#timeOut, STOP_CUT_MS);
  }

  /** Closes every part, even after one fails. @returns the errors */
  async closeAll(): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const close of this.#parts.splice(0).reverse()) {
      try {
        await Promise.race([close(), this.#timedOut]);
      } catch (error) {
        failures.push(error);
      }
    }
    clearTimeout(this.#limit);
    return failures;
  }
}
