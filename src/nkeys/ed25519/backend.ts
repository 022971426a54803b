// What every implementation of Ed25519 does.

/** A secret of 32 bytes that is kept in memory until it is wiped. */
export interface HeldSeed {
  /** A copy, which is the caller's to wipe. */
  copy(): Uint8Array;
  /** Overwrites it. It is not used afterwards. */
  wipe(): void;
}

/** A private key, with its public half. */
export interface SecretKey extends HeldSeed {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The signature, 64 bytes: of the same key and data always the same. Source: RFC 8032, 5.1.6. */
  sign(data: Uint8Array): Uint8Array;
}

/** A public key to verify with. */
export interface Verifier {
  /** @param signature 64 bytes */
  verify(data: Uint8Array, signature: Uint8Array): boolean;
}

/** An implementation of Ed25519. All give the same keys, signatures and verdicts. */
export interface Ed25519 {
  generate(): SecretKey;
  /** @param seed 32 bytes, which are copied */
  load(seed: Uint8Array): SecretKey;
  /** The public half of a seed. */
  publicKeyOf(seed: Uint8Array): Uint8Array;
  /** @param publicKey 32 bytes, not of small order */
  verifier(publicKey: Uint8Array): Verifier;
  /** Keeps 32 bytes as it keeps seeds. */
  hold(seed: Uint8Array): HeldSeed;
}
