// KeyBundle: an operator, account or user key pair.
import { timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';
import { KeyError } from '../errors.js';
import { bag, checkOptions, flag } from '../options/check-options.js';
import { pathOf } from '../files/path-of.js';
import { writeSecretFile } from '../files/write-secret-file.js';
import { curvePublicKeyOfRawSeed } from './curve.js';
import { ed25519 } from './ed25519.js';
import { decodeSeed, encodePublicKey, wrongRole } from './encoding.js';
import { KeyPair } from './key-pair.js';
import { isRole, ROLES, withArticle, type Role } from './roles.js';
import { noteSeedCopy, pairOfSeedCopy } from './seed-copy.js';
import { verifySignature } from './verify.js';

const SAVE = bag({ ifAbsent: flag });
const saveOptionsError = (message: string) => new KeyError('ERR_KEY_OPTIONS', message);

/** Compares a text with a key's seed, in constant time. */
function isSeedOf(pair: KeyPair, text: Uint8Array): boolean {
  const own = pair.seed;
  const isSame = own.length === text.length && timingSafeEqual(own, text);
  own.fill(0);
  return isSame;
}

/**
 * A key pair of the NATS trust hierarchy: an operator's, an account's or a user's. Only the `seed` property, which is
 * not enumerable, exposes the seed; `console.log`, `util.inspect`, `JSON.stringify`, template strings and structured
 * clones show the role and the public key.
 *
 * @example
 * import { generateKeyBundle } from 'zester';
 *
 * const user = generateKeyBundle('user');
 * const signature = user.sign('hello');
 * console.log(user.verify('hello', signature)); // true
 * console.log(`${user}`); // KeyBundle(user U…)
 * console.log(user.curvePublicKey()); // X…
 * user.wipe();
 * console.log(user.wiped); // true
 */
export class KeyBundle implements Disposable {
  readonly role: Role;
  /** The public key as text: `O…`, `A…` or `U…`, 56 characters. */
  readonly publicKey: string;
  readonly #pair: KeyPair;

  private constructor(pair: KeyPair) {
    this.role = pair.role;
    this.publicKey = pair.publicKey;
    this.#pair = pair;
    // the public key must keep matching the seed, since signatures of this key count as verified
    Object.freeze(this);
  }

  /** @internal Use {@link generateKeyBundle}. */
  static generate(role: Role): KeyBundle {
    return new KeyBundle(KeyPair.generate(role));
  }

  /** @internal Use {@link loadKeyBundle}. */
  static fromSeed(role: Role, seed: Uint8Array | string): KeyBundle {
    return new KeyBundle(KeyPair.fromSeed(role, seed));
  }

  /**
   * The public key of a seed that {@link seed} returned, if its bytes are unchanged; else undefined. Saves computing it
   * from the seed, which costs as much as generating a key.
   *
   * @internal
   */
  static publicKeyOfOwnSeed(seed: Uint8Array): string | undefined {
    const pair = pairOfSeedCopy(seed);
    if (pair === undefined || pair.wiped) return undefined;
    return isSeedOf(pair, seed) ? pair.publicKey : undefined;
  }

  /**
   * Whether a value is a genuine instance, not a lookalike: its signatures are certain to match its public key.
   *
   * @internal
   */
  static isGenuine(value: object): value is KeyBundle {
    return #pair in value && Object.getPrototypeOf(value) === KeyBundle.prototype;
  }

  /**
   * The seed's text (`SU…`) as ASCII bytes: the secret itself. Each call returns a copy, which the caller must wipe.
   *
   * @throws KeyError `ERR_KEY_WIPED`
   */
  get seed(): Uint8Array {
    const { seed } = this.#pair;
    noteSeedCopy(seed, this.#pair);
    return seed;
  }

  /** Whether {@link wipe} was called. */
  get wiped(): boolean {
    return this.#pair.wiped;
  }

  /**
   * Signs with Ed25519.
   *
   * @returns the 64-byte signature
   * @throws KeyError `ERR_KEY_WIPED`
   */
  sign(data: Uint8Array | string): Uint8Array {
    return this.#pair.sign(data);
  }

  /** Verifies a signature of `data` by this key. Also works after {@link wipe}: it needs only the public key. */
  verify(data: Uint8Array | string, signature: Uint8Array): boolean {
    return verifySignature(this.publicKey, data, signature);
  }

  /**
   * The public key (`X…`) of the curve key (X25519) with the same 32 secret bytes. Others can encrypt to it; it does
   * not reveal the seed.
   *
   * @throws KeyError `ERR_KEY_WIPED`
   */
  curvePublicKey(): string {
    const raw = this.#pair.rawSeed();
    try {
      return curvePublicKeyOfRawSeed(raw);
    } finally {
      raw.fill(0);
    }
  }

  /**
   * Writes the seed and a newline to a file with mode 0600. An existing file is replaced atomically.
   *
   * @param path the path, or the `file:` URL
   * @param options.ifAbsent fail if the path exists (default false)
   * @throws KeyError `ERR_KEY_WIPED`, `ERR_KEY_OPTIONS`; FileError, `ERR_FILE_EXISTS` with `ifAbsent` if the path
   *   exists
   * @example
   * import { generateKeyBundle } from 'zester';
   *
   * const account = generateKeyBundle('account');
   * await account.saveSeedToFile('new-account.seed', { ifAbsent: true });
   * account.wipe();
   */
  async saveSeedToFile(path: string | URL, options: { ifAbsent?: boolean | undefined } = {}): Promise<void> {
    checkOptions('saveSeedToFile', options, SAVE, saveOptionsError);
    const { seed } = this.#pair;
    const content = new Uint8Array(seed.length + 1);
    content.set(seed);
    content[seed.length] = 0x0a;
    seed.fill(0);
    try {
      await writeSecretFile(pathOf(path), content, { ifAbsent: options.ifAbsent });
    } finally {
      content.fill(0);
    }
  }

  /** Overwrites the seed in memory and drops the private key. Signing throws from then on. */
  wipe(): void {
    this.#pair.wipe();
  }

  /** The same as `wipe()`, for `using`. */
  [Symbol.dispose](): void {
    this.wipe();
  }

  /** Without the seed. */
  toJSON(): { role: Role; publicKey: string } {
    return { role: this.role, publicKey: this.publicKey };
  }

  toString(): string {
    return `KeyBundle(${this.role} ${this.publicKey})`;
  }

  /** The output of `console.log` and `util.inspect`: no seed. */
  [inspect.custom](): string {
    return this.toString();
  }
}

/**
 * Creates a new key pair.
 *
 * @param role the role of the key
 * @throws KeyError `ERR_KEY_ROLE` for an unknown role
 * @example
 * import { generateKeyBundle } from 'zester';
 *
 * const account = generateKeyBundle('account');
 * console.log(account.role, account.publicKey); // account A…
 * account.wipe(); // or, with TypeScript: using account = generateKeyBundle('account')
 */
export function generateKeyBundle(role: Role): KeyBundle {
  checkRole(role);
  return KeyBundle.generate(role);
}

/**
 * Loads a key pair from its seed.
 *
 * @param role the role that the seed must have
 * @param seed the seed's text (`SU…`), as bytes or a string; white space around it is ignored
 * @throws KeyError `ERR_KEY_ROLE`, `ERR_KEY_CHECKSUM`, `ERR_KEY_ENCODING`, `ERR_KEY_NOT_A_SEED`
 * @example
 * import { readFile } from 'node:fs/promises';
 * import { loadKeyBundle } from 'zester';
 *
 * const seed = await readFile('account.seed');
 * const account = loadKeyBundle('account', seed);
 * seed.fill(0);
 * console.log(account.publicKey); // A…
 */
export function loadKeyBundle(role: Role, seed: Uint8Array | string): KeyBundle {
  checkRole(role);
  return KeyBundle.fromSeed(role, seed);
}

/**
 * The public key of an operator, account, user or curve seed.
 *
 * @throws KeyError as {@link loadKeyBundle}
 * @example
 * import { readFile } from 'node:fs/promises';
 * import { publicKeyFromSeed } from 'zester';
 *
 * console.log(publicKeyFromSeed(await readFile('account.seed'))); // A…
 */
export function publicKeyFromSeed(seed: Uint8Array | string): string {
  const decoded = decodeSeed(seed);
  try {
    if (decoded.kind === 'curve') return curvePublicKeyOfRawSeed(decoded.raw);
    if (decoded.kind === undefined) throw wrongRole(decoded.kindName, ROLES.join(', '), 'the seed');
    return encodePublicKey(decoded.kind, ed25519().publicKeyOf(decoded.raw));
  } finally {
    decoded.raw.fill(0);
  }
}

function checkRole(role: string): void {
  if (!isRole(role)) {
    // a non-string may be the seed's bytes, passed as the role by mistake
    const shown = typeof role === 'string' ? `"${role}"` : `this (${typeof role})`;
    throw new KeyError(
      'ERR_KEY_ROLE',
      `${shown} is not a key role: use ${ROLES.map(withArticle).join(', ')}`,
    );
  }
}
