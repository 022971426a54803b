// Decides which flooding callers are diverted, and for how long.
import { isHot, type Excess, type FloodLimits } from './meter.js';

/** The maximum number of diverted callers. Requests of further ones are dropped on the shared connection. */
const MAX_DIVERTED = 32;
/** Callers counted per window. */
const MAX_COUNTED = 1_000;
/** Windows below the limit after which a caller returns to the shared connection. */
const QUIET_WINDOWS = 20;

interface Count extends Excess {
  /** Windows below the limit; undefined: it is not diverted. */
  quiet: number | undefined;
}

/**
 * Decides whose requests are diverted: as soon as a caller is far over its rate, since its queued requests delay
 * others, until it has been quiet for a while. Call `endWindow` at the end of each window.
 */
export class Diversions {
  readonly #limits: FloodLimits;
  readonly #counts = new Map<string, Count>();
  #diverted = 0;

  constructor(limits: FloodLimits) {
    this.#limits = limits;
  }

  /** The number of diverted callers. */
  get size(): number {
    return this.#diverted;
  }

  /**
   * Counts a request over the rate, on any connection.
   *
   * @returns whether to divert its caller from now on
   */
  note(caller: string, bytes: number): boolean {
    let count = this.#counts.get(caller);
    if (count === undefined) {
      if (this.#counts.size >= MAX_COUNTED) return false;
      count = { requests: 0, bytes: 0, quiet: undefined };
      this.#counts.set(caller, count);
    }
    count.requests += 1;
    count.bytes += bytes;
    if (count.quiet !== undefined || !isHot(count, this.#limits) || this.#diverted >= MAX_DIVERTED)
      return false;
    count.quiet = 0;
    this.#diverted += 1;
    return true;
  }

  /** Ends a window. @returns the callers that return to the shared connection */
  endWindow(): string[] {
    const restored: string[] = [];
    for (const [caller, count] of this.#counts) {
      const hot = isHot(count, this.#limits);
      count.requests = 0;
      count.bytes = 0;
      if (count.quiet !== undefined) {
        count.quiet = hot ? 0 : count.quiet + 1;
        if (count.quiet < QUIET_WINDOWS) continue;
        restored.push(caller);
        this.#diverted -= 1;
      }
      this.#counts.delete(caller);
    }
    return restored;
  }
}
