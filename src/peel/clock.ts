// Estimates the fleet's time, and warns if this host's clock is off.
import { PEEL_CLOCK_DOUBT_MS, PEEL_CLOCK_WARNING_MS } from '../timing.js';

/**
 * The fleet's time, that is, the masters' time: this machine's clock, corrected by what they reported. Reports set
 * bounds; within them, the machine's clock is trusted.
 */
export class FleetClock {
  readonly #local: () => number;
  /** The bounds of the correction to the local clock, in milliseconds. */
  #least = -Infinity;
  #most = Infinity;
  #confirmed = false;
  #isReported = false;

  /** @param local milliseconds since 1970 */
  constructor(local: () => number = Date.now) {
    this.#local = local;
  }

  /** This machine's own time. */
  local(): number {
    return this.#local();
  }

  /** The correction to this machine's time, in milliseconds. */
  get offset(): number {
    return Math.min(Math.max(0, this.#least), this.#most);
  }

  /** Whether a master has reported its time. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** Whether this machine's clock is known to be off by more than half a minute. */
  get isOff(): boolean {
    return Math.abs(this.offset) > PEEL_CLOCK_WARNING_MS;
  }

  /** The correction to this machine's time, if it is worth reporting and was not reported yet. */
  offsetToReport(): number | undefined {
    if (!this.isOff || this.#isReported) return undefined;
    this.#isReported = true;
    return this.offset;
  }

  /** The best estimate of the fleet's time. */
  now(): number {
    return this.#local() + this.offset;
  }

  /** The time for expiry checks: in doubt nothing has expired, and the server decides. */
  lenient(): number {
    return this.now() - (this.#confirmed ? 0 : PEEL_CLOCK_DOUBT_MS);
  }

  /** The time for checks of what is not valid yet: in doubt everything is, and the server decides. */
  latest(): number {
    return this.now() + (this.#confirmed ? 0 : PEEL_CLOCK_DOUBT_MS);
  }

  /** The fleet's time is this or later: something was signed then. */
  isAtLeast(time: number): void {
    if (this.#confirmed || !Number.isFinite(time)) return;
    this.#least = Math.max(this.#least, time - this.#local());
    this.#most = Math.max(this.#most, this.#least);
  }

  /** The fleet's time is this or earlier: a server accepted something that expires then. */
  isAtMost(time: number): void {
    if (this.#confirmed || !Number.isFinite(time)) return;
    this.#most = Math.min(this.#most, time - this.#local());
    this.#least = Math.min(this.#least, this.#most);
  }

  /** A master reported its time, read between these two times of this machine's clock. */
  confirm(time: number, sent: number, received: number): void {
    this.#confirmed = true;
    this.#least = time - Math.max(sent, received);
    this.#most = time - sent;
  }
}
