// The interface of an Ed25519 implementation.

/** A 32-byte secret, kept in memory until it is wiped. */
export interface HeldSeed {
  /** A copy, which the caller must wipe. */
  copy(): Uint8Array;
  /** Overwrites the secret, which must not be used afterwards. */
  wipe(): void;
}

/** A private key, with its public key. */
export interface SecretKey extends HeldSeed {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The signature, 64 bytes; deterministic. Source: RFC 8032, 5.1.6. */
  sign(data: Uint8Array): Uint8Array;
}

/** A public key to verify with. */
export interface Verifier {
  /** @param signature 64 bytes */
  verify(data: Uint8Array, signature: Uint8Array): boolean;
}

/** An implementation of Ed25519. All return the same keys, signatures and verdicts. */
export interface Ed25519 {
  generate(): SecretKey;
  /** @param seed 32 bytes, which are copied */
  load(seed: Uint8Array): SecretKey;
  /** The public key of a seed. */
  publicKeyOf(seed: Uint8Array): Uint8Array;
  /** @param publicKey 32 bytes, not of small order */
  verifier(publicKey: Uint8Array): Verifier;
  /** Keeps 32 bytes in the same memory as seeds. */
  hold(seed: Uint8Array): HeldSeed;
}
