// Limits the request rate of each caller.

/** The allowed rate per caller. */
export interface RateOptions {
  /** Average requests per second. */
  perSecond: number;
  /** Burst size. */
  burst: number;
  /** Refusals per second that are answered; further requests get no answer. 5 by default. */
  refusalsPerSecond?: number;
  /** A monotonic clock in milliseconds; `performance.now` by default. */
  clock?: () => number;
}

/**
 * - `pass`: answer it.
 * - `refuse`: too many requests; answer with a refusal.
 * - `ignore`: too many even for refusals; do not answer.
 */
export type RateVerdict = 'pass' | 'refuse' | 'ignore';

/** The maximum number of tracked callers. The one that was silent longest is evicted, and later starts with a full bucket. */
const MAX_CALLERS = 50_000;
/** Burst of answered refusals, in seconds of their rate. */
const REFUSAL_BURST_SECONDS = 10;

interface Bucket {
  tokens: number;
  refusals: number;
  at: number;
}

/** A token bucket per caller, and one for its refusals, so that a flood costs next to nothing. */
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

  /** Counts a request. @param cost the number of requests that it counts as */
  take(caller: string, cost = 1): RateVerdict {
    const bucket = this.#bucket(caller);
    if (bucket.tokens >= cost) {
      bucket.tokens -= cost;
      return 'pass';
    }
    return this.#takeRefusal(bucket);
  }

  /** Counts a refusal because of overload. */
  refuse(caller: string): Exclude<RateVerdict, 'pass'> {
    return this.#takeRefusal(this.#bucket(caller));
  }

  #takeRefusal(bucket: Bucket): Exclude<RateVerdict, 'pass'> {
    if (bucket.refusals < 1) return 'ignore';
    bucket.refusals -= 1;
    return 'refuse';
  }

  #bucket(caller: string): Bucket {
    const now = this.#clock();
    const known = this.#buckets.get(caller);
    const seconds = known === undefined ? 0 : Math.max(0, now - known.at) / 1000;
    const bucket: Bucket = {
      tokens: Math.min(this.#burst, (known?.tokens ?? this.#burst) + seconds * this.#perSecond),
      refusals: Math.min(
        this.#refusalBurst,
        (known?.refusals ?? this.#refusalBurst) + seconds * this.#refusalsPerSecond,
      ),
      at: now,
    };
    // the map is ordered by last request
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size > MAX_CALLERS) {
      const oldest = this.#buckets.keys().next();
      if (!oldest.done) this.#buckets.delete(oldest.value);
    }
    return bucket;
  }
}
