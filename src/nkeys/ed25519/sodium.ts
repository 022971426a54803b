// Ed25519 by libsodium, through sodium-native.
import { hasSmallOrder, isCanonical } from '../small-order.js';
import type { Ed25519, HeldSeed, SecretKey, Verifier } from './backend.js';
import type { GuardedMemory } from './guarded-memory.js';
import type { Sodium } from './load-sodium.js';
import { nodeEd25519 } from './node.js';

const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/**
 * Ed25519 by libsodium.
 *
 * libsodium refuses some signatures that OpenSSL and Go, and so nats-server, accept: those whose first half is a point
 * of small order, and those of a public key with a non-canonical encoding. `node:crypto` decides these, so that the
 * verdict does not depend on what is installed. libsodium accepts no signature that the others refuse: all compute the
 * first half and compare its bytes, and refuse a second half that is not reduced.
 *
 * Source: libsodium 1.0.21, sign/ed25519/ref10/open.c; OpenSSL, crypto/ec/curve25519.c (`ossl_ed25519_verify`); Go,
 * crypto/ed25519 (`verify`).
 */
export function sodiumEd25519(sodium: Sodium, memory: GuardedMemory): Ed25519 {
  /** Frees the slots of keys that were garbage-collected without being wiped. */
  const lost = new FinalizationRegistry<Uint8Array>((slot) => memory.release(slot));

  /** A seed, followed by the public key if it is a signing key: what libsodium calls a secret key. */
  class GuardedSeed implements HeldSeed {
    #slot: Uint8Array | undefined;

    constructor(slot: Uint8Array) {
      this.#slot = slot;
      lost.register(this, slot, this);
    }

    /** @throws TypeError once wiped: a reused slot must not be read as this key's */
    protected get slot(): Uint8Array {
      if (this.#slot === undefined) throw new TypeError('the secret was wiped');
      return this.#slot;
    }

    copy(): Uint8Array {
      const { slot } = this;
      const seed = new Uint8Array(SEED_BYTES);
      for (let i = 0; i < SEED_BYTES; i++) seed[i] = slot[i] ?? 0;
      return seed;
    }

    wipe(): void {
      if (this.#slot === undefined) return;
      lost.unregister(this);
      memory.release(this.#slot);
      this.#slot = undefined;
    }
  }

  class SodiumSecretKey extends GuardedSeed implements SecretKey {
    readonly publicKey: Uint8Array;

    constructor(slot: Uint8Array, publicKey: Uint8Array) {
      super(slot);
      this.publicKey = publicKey;
    }

    sign(data: Uint8Array): Uint8Array {
      const signature = Buffer.alloc(SIGNATURE_BYTES); // a Buffer, like node:crypto's
      sodium.crypto_sign_detached(signature, data, this.slot);
      return signature;
    }
  }

  class SodiumVerifier implements Verifier {
    readonly #publicKey: Uint8Array;
    readonly #isCanonical: boolean;

    constructor(publicKey: Uint8Array) {
      this.#publicKey = publicKey.slice();
      this.#isCanonical = isCanonical(publicKey) && !hasSmallOrder(publicKey);
    }

    verify(data: Uint8Array, signature: Uint8Array): boolean {
      if (sodium.crypto_sign_verify_detached(signature, data, this.#publicKey)) return true;
      if (this.#isCanonical && !hasSmallOrder(signature.subarray(0, PUBLIC_KEY_BYTES))) return false;
      return nodeEd25519.verifier(this.#publicKey).verify(data, signature);
    }
  }

  const load = (seed: Uint8Array): SodiumSecretKey => {
    const slot = memory.take();
    const publicKey = new Uint8Array(PUBLIC_KEY_BYTES);
    sodium.crypto_sign_seed_keypair(publicKey, slot, seed);
    return new SodiumSecretKey(slot, publicKey);
  };

  return {
    generate() {
      const slot = memory.take();
      const publicKey = new Uint8Array(PUBLIC_KEY_BYTES);
      sodium.crypto_sign_keypair(publicKey, slot);
      return new SodiumSecretKey(slot, publicKey);
    },
    load,
    publicKeyOf(seed) {
      const key = load(seed);
      key.wipe();
      return key.publicKey;
    },
    verifier: (publicKey) => new SodiumVerifier(publicKey),
    hold(seed) {
      const slot = memory.take();
      slot.set(seed);
      return new GuardedSeed(slot);
    },
  };
}
