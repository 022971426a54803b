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
 * libsodium refuses some signatures that OpenSSL, Go and so nats-servers accept: those whose first half is a point of small
 * order, and those of a public key that is written in an unusual way. `node:crypto` decides about these, so that the
 * verdict does not depend on what is installed. It accepts none that they refuse: both compute the first half and compare
 * its bytes, and both refuse a second half that is not reduced.
 *
 * Source: libsodium 1.0.21, sign/ed25519/ref10/open.c; OpenSSL, crypto/ec/curve25519.c (`ossl_ed25519_verify`); Go,
 * crypto/ed25519 (`verify`).
 */
export function sodiumEd25519(sodium: Sodium, memory: GuardedMemory): Ed25519 {
  /** Keys that were never wiped and are no longer referenced. */
  const lost = new FinalizationRegistry<Uint8Array>((place) => memory.giveBack(place));

  /** A seed, and where it is a key's, the public half behind it: what libsodium calls a secret key. */
  class GuardedSeed implements HeldSeed {
    #place: Uint8Array | undefined;

    constructor(place: Uint8Array) {
      this.#place = place;
      lost.register(this, place, this);
    }

    /** @throws TypeError once wiped: a reused slot must not be read as this key's */
    protected get place(): Uint8Array {
      if (this.#place === undefined) throw new TypeError('the secret was wiped');
      return this.#place;
    }

    copy(): Uint8Array {
      const { place } = this;
      const seed = new Uint8Array(SEED_BYTES);
      for (let i = 0; i < SEED_BYTES; i++) seed[i] = place[i] ?? 0;
      return seed;
    }

    wipe(): void {
      if (this.#place === undefined) return;
      lost.unregister(this);
      memory.giveBack(this.#place);
      this.#place = undefined;
    }
  }

  class SodiumSecretKey extends GuardedSeed implements SecretKey {
    readonly publicKey: Uint8Array;

    constructor(place: Uint8Array, publicKey: Uint8Array) {
      super(place);
      this.publicKey = publicKey;
    }

    sign(data: Uint8Array): Uint8Array {
      const signature = Buffer.alloc(SIGNATURE_BYTES); // as node:crypto gives it
      sodium.crypto_sign_detached(signature, data, this.place);
      return signature;
    }
  }

  class SodiumVerifier implements Verifier {
    readonly #publicKey: Uint8Array;
    readonly #isUsual: boolean;

    constructor(publicKey: Uint8Array) {
      this.#publicKey = publicKey.slice();
      this.#isUsual = isCanonical(publicKey) && !hasSmallOrder(publicKey);
    }

    verify(data: Uint8Array, signature: Uint8Array): boolean {
      if (sodium.crypto_sign_verify_detached(signature, data, this.#publicKey)) return true;
      if (this.#isUsual && !hasSmallOrder(signature.subarray(0, PUBLIC_KEY_BYTES))) return false;
      return nodeEd25519.verifier(this.#publicKey).verify(data, signature);
    }
  }

  const load = (seed: Uint8Array): SodiumSecretKey => {
    const place = memory.take();
    const publicKey = new Uint8Array(PUBLIC_KEY_BYTES);
    sodium.crypto_sign_seed_keypair(publicKey, place, seed);
    return new SodiumSecretKey(place, publicKey);
  };

  return {
    generate() {
      const place = memory.take();
      const publicKey = new Uint8Array(PUBLIC_KEY_BYTES);
      sodium.crypto_sign_keypair(publicKey, place);
      return new SodiumSecretKey(place, publicKey);
    },
    load,
    publicKeyOf(seed) {
      const key = load(seed);
      key.wipe();
      return key.publicKey;
    },
    verifier: (publicKey) => new SodiumVerifier(publicKey),
    hold(seed) {
      const place = memory.take();
      place.set(seed);
      return new GuardedSeed(place);
    },
  };
}
