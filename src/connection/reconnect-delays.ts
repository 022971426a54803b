// Computes reconnect delays that do not depend on the number of failed attempts.
import { RECONNECT_JITTER_MS, RECONNECT_JITTER_TLS_MS, RECONNECT_WAIT_MS } from '../timing.js';

/** The delays in milliseconds; the defaults are those of NATS. */
export interface DelayOptions {
  reconnectTimeWait?: number | undefined;
  reconnectJitter?: number | undefined;
  reconnectJitterTLS?: number | undefined;
}

/**
 * The delay before the next attempt, in milliseconds.
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

/** Returns the delays, and skips one when the connection is dropped deliberately. */
export class ReconnectDelays {
  readonly #delay: () => number;
  readonly #beforeDial: () => void;
  #hurry = false;

  /**
   * @param delay returns the next delay, in milliseconds
   * @param beforeDial called before each delay: the client offers no later hook before a dial
   */
  constructor(delay: () => number, beforeDial: () => void) {
    this.#delay = delay;
    this.#beforeDial = beforeDial;
  }

  /** Skips the next delay: the connection is dropped deliberately. */
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
