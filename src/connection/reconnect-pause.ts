// The pause of a peel's connection before each reconnect attempt.
import { delay, type Delay } from '@nats-io/nats-core/internal';
import { failuresAfterLoss, spreadWait } from './reconnect-spread.js';

/** Waits before each reconnect attempt, to any server. `spreadWait` computes the time. */
export class ReconnectPause {
  readonly #windowMs: number;
  readonly #beforeDial: () => void;
  #failures = 0;
  /** When the connection was made, on a monotonic clock; undefined: disconnected. */
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

  /** Makes the next attempt at once: the connection is dropped deliberately. */
  hurry(): void {
    this.#hurry = true;
    this.hurryIfPausing();
  }

  /** Makes a pending attempt at once: something changed, so it may now succeed. */
  hurryIfPausing(): void {
    if (this.#pausing === undefined) return;
    this.#failures = 0;
    this.#pausing.cancel();
  }

  /** Starts the pause before an attempt. Cancelling the pause resolves it. */
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

  /** Ends the pause. */
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
