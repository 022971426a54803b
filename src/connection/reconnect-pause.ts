// The pause of a peel's connection before each attempt to reconnect.
import { delay, type Delay } from '@nats-io/nats-core/internal';
import { failuresAfterLoss, spreadWait } from './reconnect-spread.js';

/** Pauses before each attempt to reconnect, whichever server it is at. `spreadWait` says how long. */
export class ReconnectPause {
  readonly #windowMs: number;
  readonly #beforeDial: () => void;
  #failures = 0;
  /** When the connection was made; undefined: it is lost. Monotonic. */
  #upSince: number | undefined;
  #hurry = false;
  #pausing: Delay | undefined;

  /**
   * @param windowMs the window of the first attempt, in milliseconds
   * @param beforeDial called once each pause is over
   */
  constructor(windowMs: number, beforeDial: () => void) {
    this.#windowMs = windowMs;
    this.#beforeDial = beforeDial;
  }

  /** The next attempt is made at once: the connection is being dropped on purpose. */
  hurry(): void {
    this.#hurry = true;
    this.hurryIfPausing();
  }

  /** The attempt that waits now is made at once: something has changed that lets it succeed. */
  hurryIfPausing(): void {
    if (this.#pausing === undefined) return;
    this.#failures = 0;
    this.#pausing.cancel();
  }

  /** Before an attempt. It can be cancelled, and resolves then. */
  begin(): Delay {
    if (this.#upSince !== undefined) {
      const lastedMs = performance.now() - this.#upSince;
      this.#failures = failuresAfterLoss(this.#failures, this.#windowMs, lastedMs);
      this.#upSince = undefined;
    }
    const isAtOnce = this.#hurry;
    const ms = isAtOnce ? 0 : spreadWait(this.#failures, this.#windowMs, Math.random());
    this.#hurry = false;
    this.#pausing = delay(ms);
    return this.#pausing;
  }

  /** After the pause. */
  over(): void {
    this.#pausing = undefined;
    this.#hurry = false;
    this.#beforeDial();
  }

  failed(): void {
    this.#failures += 1;
  }

  connected(): void {
    this.#upSince = performance.now();
  }
}
