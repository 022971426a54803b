// Detects a storm: many connections within a second.

/** This many connections within a second are a storm. */
const STORM = 200;
const SECOND_MS = 1_000;

/** The rate at which connections arrive. Its memory does not grow with them. */
export class ConnectRate {
  /** The times of the last connections, in a ring. */
  readonly #times = new Float64Array(STORM).fill(-Infinity);
  #next = 0;

  /** @param now milliseconds */
  note(now: number): void {
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % STORM;
  }

  /** Whether {@link STORM} connections have arrived within the last second. */
  isStorm(now: number): boolean {
    const oldest = this.#times[this.#next] ?? -Infinity;
    return now - oldest < SECOND_MS;
  }
}
