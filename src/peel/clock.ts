// Estimates the fleet's time, and warns if this host's clock is off.
import { PEEL_CLOCK_DOUBT_MS, PEEL_CLOCK_WARNING_MS } from '../timing.js';

/**
 * The fleet's time, which is the masters': this machine's clock, corrected by what is known about theirs. Reports set
 * bounds; within them, the machine's clock is trusted.
 */
export class FleetClock {
  readonly #local: () => number;
  /** The bounds of the correction to the local clock, in milliseconds. */
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
  sayOff(): number | undefined {
    if (!this.isOff || this.#said) return undefined;
    this.#said = true;
    return this.offset;
  }

  /** The fleet's time, as well as it is known. */
  now(): number {
    return this.#local() + this.offset;
  }

  /** The time for expiry checks: in doubt nothing has expired, and the server decides. */
  lenient(): number {
    return this.now() - (this.#confirmed ? 0 : PEEL_CLOCK_DOUBT_MS);
  }

  /** It is this time or later, since something was signed then. */
  isAtLeast(time: number): void {
    if (this.#confirmed || !Number.isFinite(time)) return;
    this.#least = Math.max(this.#least, time - this.#local());
    this.#most = Math.max(this.#most, this.#least);
  }

  /** It is this time or earlier, since a server accepted something that expires then. */
  isAtMost(time: number): void {
    if (this.#confirmed || !Number.isFinite(time)) return;
    this.#most = Math.min(this.#most, time - this.#local());
    this.#least = Math.min(this.#least, this.#most);
  }

  /** A master reported its time, which was correct at some moment between these two times of this machine's clock. */
  confirm(time: number, sent: number, received: number): void {
    this.#confirmed = true;
    this.#least = time - Math.max(sent, received);
    this.#most = time - sent;
  }
}
