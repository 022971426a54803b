// Curve keys (X25519), for encryption.
import { inspect } from 'node:util';
import { KeyError } from '../errors.js';
import { ed25519, generateRaw, importSeed, rawPublicOf, type HeldSeed } from './ed25519.js';
import { decodeSeed, encodePublicKey, encodeSeed, wrongRole } from './encoding.js';

/** The public curve key (`X…`) of 32 raw secret bytes, as nkeys derives it: X25519 of the bytes themselves. */
export function curvePublicKeyOfRawSeed(raw: Uint8Array): string {
  return encodePublicKey('curve', rawPublicOf(importSeed('X25519', raw)));
}

/**
 * A curve key pair (X25519): seed `SX…`, public key `X…`. It cannot sign; others encrypt to it.
 *
 * @example
 * import { generateCurveKey, publicKeyFromSeed } from 'zester';
 *
 * const key = generateCurveKey();
 * console.log(publicKeyFromSeed(key.seed) === key.publicKey); // true
 * key.wipe();
 */
export class CurveKey implements Disposable {
  /** The public key as text: `X…`, 56 characters. */
  readonly publicKey: string;
  #seed: HeldSeed | undefined;

  /**
   * @param seed the raw seed, which is copied
   * @internal Use {@link generateCurveKey} or {@link loadCurveKey}.
   */
  constructor(publicKey: string, seed: Uint8Array) {
    this.publicKey = publicKey;
    this.#seed = ed25519().hold(seed);
  }

  /**
   * The seed as the ASCII bytes of its text (`SX…`): the secret itself, a copy.
   *
   * @throws KeyError `ERR_KEY_WIPED`
   */
  get seed(): Uint8Array {
    if (this.#seed === undefined) {
      throw new KeyError('ERR_KEY_WIPED', `the key ${this.publicKey} was wiped: load it again to use it`);
    }
    const raw = this.#seed.copy();
    try {
      return encodeSeed('curve', raw);
    } finally {
      raw.fill(0);
    }
  }

  /** Overwrites the seed in memory. */
  wipe(): void {
    this.#seed?.wipe();
    this.#seed = undefined;
  }

  /** The same as `wipe()`, for `using`. */
  [Symbol.dispose](): void {
    this.wipe();
  }

  /** Without the seed. */
  toJSON(): { role: 'curve'; publicKey: string } {
    return { role: 'curve', publicKey: this.publicKey };
  }

  toString(): string {
    return `CurveKey(${this.publicKey})`;
  }

  /** The output of `console.log` and `util.inspect`: no seed. */
  [inspect.custom](): string {
    return this.toString();
  }
}

/**
 * Generates a new curve key pair.
 *
 * @example
 * import { generateCurveKey } from 'zester';
 *
 * const key = generateCurveKey();
 * console.log(key.publicKey); // X…
 * key.wipe();
 */
export function generateCurveKey(): CurveKey {
  const raw = generateRaw('X25519');
  const key = new CurveKey(encodePublicKey('curve', raw.publicKey), raw.seed);
  raw.seed.fill(0);
  return key;
}

/**
 * Loads a curve key pair from its seed (`SX…`).
 *
 * @throws KeyError `ERR_KEY_ROLE` for a seed of another kind, and as `loadKeyBundle`
 * @example
 * import { generateCurveKey, loadCurveKey } from 'zester';
 *
 * const { seed, publicKey } = generateCurveKey();
 * const key = loadCurveKey(seed);
 * seed.fill(0);
 * console.log(key.publicKey === publicKey); // true
 */
export function loadCurveKey(seed: Uint8Array | string): CurveKey {
  const decoded = decodeSeed(seed);
  try {
    if (decoded.kind !== 'curve') throw wrongRole(decoded.kindName, 'curve', 'the seed');
    return new CurveKey(curvePublicKeyOfRawSeed(decoded.raw), decoded.raw);
  } finally {
    decoded.raw.fill(0);
  }
}
