// Remembers which key a copy of a seed belongs to.
import type { KeyPair } from './key-pair.js';

/** Its constructor returns the given object, so that a subclass adds its private fields to that object. */
// oxlint-disable-next-line no-extraneous-class -- only a constructor can add private fields to an object
class Given {
  constructor(object: object) {
    return object;
  }
}

/**
 * Notes the key of a copy of its seed in a private field of the copy, which no other code can read or change. Copies of
 * the copy have none. A WeakMap would do the same, but its bookkeeping costs a fortieth of issuing a credential.
 */
class SeedCopy extends Given {
  readonly #pair: KeyPair;

  constructor(seed: Uint8Array, pair: KeyPair) {
    super(seed);
    this.#pair = pair;
  }

  static pairOf(seed: Uint8Array): KeyPair | undefined {
    return #pair in seed ? (seed as unknown as SeedCopy).#pair : undefined;
  }
}

/** Notes that these bytes are a copy of the key's seed. Call it once for each copy. */
export function noteSeedCopy(seed: Uint8Array, pair: KeyPair): void {
  new SeedCopy(seed, pair);
}

/** The key that a seed was copied from; undefined: it is from elsewhere. The bytes may have changed since. */
export function pairOfSeedCopy(seed: Uint8Array): KeyPair | undefined {
  return SeedCopy.pairOf(seed);
}
