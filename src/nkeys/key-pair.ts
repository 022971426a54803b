// A signing key in memory, for reading credentials: without the code that writes files.
import { KeyError } from '../errors.js';
import { ed25519, type SecretKey } from './ed25519.js';
import { decodeSeed, encodePublicKey, encodeSeed, wrongRole } from './encoding.js';
import type { Role } from './roles.js';

/** The private part of a `KeyBundle` or a `CredsFile`. Never exposed. */
export class KeyPair {
  readonly role: Role;
  /** The public key as text: `O…`, `A…` or `U…`, 56 characters. */
  readonly publicKey: string;
  #secret: SecretKey | undefined;

  private constructor(role: Role, secret: SecretKey) {
    this.role = role;
    this.publicKey = encodePublicKey(role, secret.publicKey);
    this.#secret = secret;
  }

  static generate(role: Role): KeyPair {
    return new KeyPair(role, ed25519().generate());
  }

  /** @throws KeyError `ERR_KEY_ROLE`, `ERR_KEY_CHECKSUM`, `ERR_KEY_ENCODING`, `ERR_KEY_NOT_A_SEED` */
  static fromSeed(role: Role, seed: Uint8Array | string): KeyPair {
    const decoded = decodeSeed(seed);
    try {
      if (decoded.kind !== role) throw wrongRole(decoded.kindName, role, 'the seed');
      return new KeyPair(role, ed25519().load(decoded.raw));
    } finally {
      decoded.raw.fill(0);
    }
  }

  get wiped(): boolean {
    return this.#secret === undefined;
  }

  /** The seed as the ASCII bytes of its text: a copy. @throws KeyError `ERR_KEY_WIPED` */
  get seed(): Uint8Array {
    const raw = this.rawSeed();
    const text = encodeSeed(this.role, raw);
    raw.fill(0);
    return text;
  }

  /** The 32 bytes of the seed: a copy, which the caller must wipe. @throws KeyError `ERR_KEY_WIPED` */
  rawSeed(): Uint8Array {
    return this.#live().copy();
  }

  /** @throws KeyError `ERR_KEY_WIPED` */
  sign(data: Uint8Array | string): Uint8Array {
    return this.#live().sign(typeof data === 'string' ? Buffer.from(data) : data);
  }

  wipe(): void {
    this.#secret?.wipe();
    this.#secret = undefined;
  }

  #live(): SecretKey {
    if (this.#secret === undefined) {
      throw new KeyError('ERR_KEY_WIPED', `the key ${this.publicKey} was wiped: load it again to use it`);
    }
    return this.#secret;
  }
}
