// Decides which flooding callers are diverted, and for how long.
import { isHot, type Excess, type FloodLimits } from './meter.js';

/** Callers that are diverted at once. Of more, the requests are dropped where all are heard. */
const MAX_DIVERTED = 32;
/** Callers that are counted in a window. */
const MAX_COUNTED = 1_000;
/** Windows below the limit after which a caller is heard with the others again. */
const QUIET_WINDOWS = 20;

interface Count extends Excess {
  /** Windows below the limit; undefined: it is not diverted. */
  quiet: number | undefined;
}

/**
 * Decides whose requests are diverted: at once when a caller is far over its rate, since what is under way before it is in
 * the way of others, and until it has been quiet for a while. Windows are ended by the caller of `turn`.
 */
export class Diversions {
  readonly #limits: FloodLimits;
  readonly #counts = new Map<string, Count>();
  #diverted = 0;

  constructor(limits: FloodLimits) {
    this.#limits = limits;
  }

  /** How many callers are diverted. */
  get size(): number {
    return this.#diverted;
  }

  /**
   * Counts a request over the rate, wherever it came in.
   *
   * @returns whether to divert its caller from now on
   */
  note(asker: string, bytes: number): boolean {
    let count = this.#counts.get(asker);
    if (count === undefined) {
      if (this.#counts.size >= MAX_COUNTED) return false;
      count = { requests: 0, bytes: 0, quiet: undefined };
      this.#counts.set(asker, count);
    }
    count.requests += 1;
    count.bytes += bytes;
    if (count.quiet !== undefined || !isHot(count, this.#limits) || this.#diverted >= MAX_DIVERTED)
      return false;
    count.quiet = 0;
    this.#diverted += 1;
    return true;
  }

  /** Ends a window. @returns who is heard with the others again */
  turn(): string[] {
    const restored: string[] = [];
    for (const [asker, count] of this.#counts) {
      const hot = isHot(count, this.#limits);
      count.requests = 0;
      count.bytes = 0;
      if (count.quiet !== undefined) {
        count.quiet = hot ? 0 : count.quiet + 1;
        if (count.quiet < QUIET_WINDOWS) continue;
        restored.push(asker);
        this.#diverted -= 1;
      }
      this.#counts.delete(asker);
    }
    return restored;
  }
}
