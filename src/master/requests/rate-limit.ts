// Limits the request rate of each caller.

/** How much one asker may ask. */
export interface RateOptions {
  /** Requests a second, over time. */
  perSecond: number;
  /** Requests at once, after a silence. */
  burst: number;
  /** Refusals a second that are answered; what comes on top is not answered at all. 5 by default. */
  refusalsPerSecond?: number;
  /** Milliseconds, of a clock that is never set; `performance.now` by default. */
  clock?: () => number;
}

/**
 * - `pass`: it is to be answered.
 * - `refuse`: too much, and it is said so.
 * - `ignore`: so much that saying so would be the harm that is meant.
 */
export type RateVerdict = 'pass' | 'refuse' | 'ignore';

/** What is kept of askers, in number. Who was longest silent is forgotten, and has a full bucket again. */
const MAX_ASKERS = 50_000;
/** Refusals that are answered in a burst, in seconds of their rate. */
const REFUSAL_BURST_SECONDS = 10;

interface Bucket {
  tokens: number;
  refusals: number;
  at: number;
}

/** A token bucket an asker, and one for the refusals: so that a flood costs next to nothing. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #refusalsPerSecond: number;
  readonly #refusalBurst: number;
  readonly #clock: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor({ perSecond, burst, refusalsPerSecond = 5, clock = () => performance.now() }: RateOptions) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#refusalsPerSecond = refusalsPerSecond;
    this.#refusalBurst = refusalsPerSecond * REFUSAL_BURST_SECONDS;
    this.#clock = clock;
  }

  /** Counts a request. */
  take(asker: string): RateVerdict {
    const bucket = this.#bucket(asker);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return 'pass';
    }
    return this.#takeRefusal(bucket);
  }

  /** Counts a refusal for another reason of the same kind: there is too much to do. */
  refuse(asker: string): Exclude<RateVerdict, 'pass'> {
    return this.#takeRefusal(this.#bucket(asker));
  }

  #takeRefusal(bucket: Bucket): Exclude<RateVerdict, 'pass'> {
    if (bucket.refusals < 1) return 'ignore';
    bucket.refusals -= 1;
    return 'refuse';
  }

  #bucket(asker: string): Bucket {
    const now = this.#clock();
    const known = this.#buckets.get(asker);
    const seconds = known === undefined ? 0 : Math.max(0, now - known.at) / 1000;
    const bucket: Bucket = {
      tokens: Math.min(this.#burst, (known?.tokens ?? this.#burst) + seconds * this.#perSecond),
      refusals: Math.min(
        this.#refusalBurst,
        (known?.refusals ?? this.#refusalBurst) + seconds * this.#refusalsPerSecond,
      ),
      at: now,
    };
    // the order of the map is that of the last requests
    this.#buckets.delete(asker);
    this.#buckets.set(asker, bucket);
    if (this.#buckets.size > MAX_ASKERS) {
      const oldest = this.#buckets.keys().next();
      if (!oldest.done) this.#buckets.delete(oldest.value);
    }
    return bucket;
  }
}
