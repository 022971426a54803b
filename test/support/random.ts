// Reproducible random choices: a test prints its seed, and reads it from the environment.

/** A deterministic source of random choices. */
export class SeededRandom {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  /** From 0 to 1, without 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** One of some. */
  pick<T>(from: readonly T[]): T {
    const one = from[this.below(from.length)];
    if (one === undefined && from.length === 0) throw new RangeError('there is nothing to pick from');
    return one as T;
  }

  /** Some of them, in another order. */
  sample<T>(from: readonly T[], count: number): T[] {
    const all = [...from];
    for (let i = all.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [all[i], all[j]] = [all[j] as T, all[i] as T];
    }
    return all.slice(0, count);
  }
}

/** The seed of this run: `ZESTER_TEST_SEED`, or one by the clock. */
export function seededRandom(): SeededRandom {
  return new SeededRandom(Number(process.env['ZESTER_TEST_SEED'] ?? Date.now() % 2 ** 32));
}
