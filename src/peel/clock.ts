// Estimates the fleet's time, and warns if this host's clock is off.
import { PEEL_CLOCK_DOUBT_MS, PEEL_CLOCK_WARNING_MS } from '../timing.js';

/**
 * The time of the fleet, which is the masters': a machine's own clock, corrected by what is known about theirs. What it is
 * reported gives bounds; within them the machine's clock is trusted.
 */
export class FleetClock {
  readonly #local: () => number;
  /** What is to be added to the local clock, in milliseconds, is from here to there. */
  #least = -Infinity;
  #most = Infinity;
  #confirmed = false;
  #said = false;

  /** @param local milliseconds since 1970 */
  constructor(local: () => number = Date.now) {
    this.#local = local;
  }

  /** This machine's own time. */
  local(): number {
    return this.#local();
  }

  /** What is added to this machine's time, in milliseconds. */
  get offset(): number {
    return Math.min(Math.max(0, this.#least), this.#most);
  }

  /** Whether a master has reported its time. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** Whether the clock of this machine is off by more than half a minute, as far as is known. */
  get isOff(): boolean {
    return Math.abs(this.offset) > PEEL_CLOCK_WARNING_MS;
  }

  /** What is added to this machine's time, if that is worth saying and was not said yet. */
  sayOff(): number | undefined {
    if (!this.isOff || this.#said) return undefined;
    this.#said = true;
    return this.offset;
  }

  /** The fleet's time, as well as it is known. */
  now(): number {
    return this.#local() + this.offset;
  }

  /** The time to judge by whether something has expired: in doubt it has not, and the server decides. */
  lenient(): number {
    return this.now() - (this.#confirmed ? 0 : PEEL_CLOCK_DOUBT_MS);
  }

  /** It is this time or later: something was signed then. */
  isAtLeast(time: number): void {
    if (this.#confirmed || !Number.isFinite(time)) return;
    this.#least = Math.max(this.#least, time - this.#local());
    this.#most = Math.max(this.#most, this.#least);
  }

  /** It is this time or earlier: a server took something that ends then. */
  isAtMost(time: number): void {
    if (this.#confirmed || !Number.isFinite(time)) return;
    this.#most = Math.min(this.#most, time - this.#local());
    this.#least = Math.min(this.#least, this.#most);
  }

  /**
   * A master reported its time, which was right at some moment between the two, by this machine's clock.
   */
  confirm(time: number, sent: number, received: number): void {
    this.#confirmed = true;
    this.#least = time - Math.max(sent, received);
    this.#most = time - sent;
  }
}
