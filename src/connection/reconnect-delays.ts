// Computes reconnect delays that do not depend on the number of failed attempts.
import { RECONNECT_JITTER_MS, RECONNECT_JITTER_TLS_MS, RECONNECT_WAIT_MS } from '../timing.js';

/** The waits in milliseconds; the defaults are those of NATS. */
export interface DelayOptions {
  reconnectTimeWait?: number | undefined;
  reconnectJitter?: number | undefined;
  reconnectJitterTLS?: number | undefined;
}

/**
 * The wait before the next attempt, in milliseconds.
 *
 * @param random from 0 to 1
 */
export function reconnectDelay(options: DelayOptions, tls: boolean, random: number): number {
  const { reconnectTimeWait = RECONNECT_WAIT_MS } = options;
  const jitter = tls
    ? (options.reconnectJitterTLS ?? RECONNECT_JITTER_TLS_MS)
    : (options.reconnectJitter ?? RECONNECT_JITTER_MS);
  return reconnectTimeWait + Math.floor(random * (jitter + 1));
}

/** Returns the waits, and skips one when the connection is dropped on purpose. */
export class ReconnectDelays {
  readonly #delay: () => number;
  readonly #beforeDial: () => void;
  #hurry = false;

  /**
   * @param delay the next wait, in milliseconds
   * @param beforeDial called before each wait, the last moment before a dial
   */
  constructor(delay: () => number, beforeDial: () => void) {
    this.#delay = delay;
    this.#beforeDial = beforeDial;
  }

  /** Skips the next wait: the connection is dropped on purpose. */
  hurry(): void {
    this.#hurry = true;
  }

  next(): number {
    if (this.#hurry) {
      this.#hurry = false;
      return 0;
    }
    this.#beforeDial();
    return this.#delay();
  }
}
