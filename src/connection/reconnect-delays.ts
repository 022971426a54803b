// Computes the delays between reconnects, where they do not depend on how many attempts failed.
import { RECONNECT_JITTER_MS, RECONNECT_JITTER_TLS_MS, RECONNECT_WAIT_MS } from '../timing.js';

/** How long the waits are, in milliseconds; the NATS defaults where nothing is said. */
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

/** Gives the waits, and skips one where the connection is dropped on purpose. */
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

  /** The next dial waits for nothing: the connection is being dropped on purpose. */
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
