// Ed25519 by node:crypto.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as cryptoSign,
  verify as cryptoVerify,
  type KeyObject,
} from 'node:crypto';
import { bytesAs } from '../../text/bytes-as.js';
import type { Ed25519, HeldSeed, SecretKey, Verifier } from './backend.js';

/**
 * Converts raw 32-byte keys to and from `node:crypto`.
 *
 * A private KeyObject is never *exported* as JWK: on Node 20, `generateKeyPairSync('ed25519').privateKey.export({
 * format: 'jwk' })` in a loop deadlocks within some thousand calls (the export holds the key's lock while a garbage
 * collection frees the other half of the pair). Generating the pair directly as JWK does not.
 */
export type Curve = 'Ed25519' | 'X25519';

const jwkEncoding = { publicKeyEncoding: { format: 'jwk' }, privateKeyEncoding: { format: 'jwk' } } as const;

interface PrivateJwk {
  d: string;
  x: string;
}

/** A new pair: the raw private seed and the raw public key, 32 bytes each. */
export function generateRaw(curve: Curve): { seed: Uint8Array; publicKey: Uint8Array } {
  // Node takes 'jwk' here since 15.9; its types lag behind.
  const generate = generateKeyPairSync as unknown as (
    type: 'ed25519' | 'x25519',
    options: typeof jwkEncoding,
  ) => { privateKey: PrivateJwk };
  const { d, x } = generate(curve === 'Ed25519' ? 'ed25519' : 'x25519', jwkEncoding).privateKey;
  return { seed: fromBase64Url(d), publicKey: fromBase64Url(x) };
}

/**
 * Node 20 imports DER ten times slower than JWK (docs/nats-facts.md, 10). Node 26 refuses a JWK whose `x` is not the
 * matching public key, which is not known before the import.
 */
const IMPORTS_BY_JWK = Number.parseInt(process.versions.node, 10) < 22;

/** The prefix before the 32 bytes in PKCS #8. Source: RFC 8410, section 7. */
const PKCS8_PREFIX: Readonly<Record<Curve, Uint8Array>> = {
  Ed25519: Buffer.from('302e020100300506032b657004220420', 'hex'),
  X25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
};

/** A private KeyObject from a raw 32-byte seed. */
export function importSeed(curve: Curve, seed: Uint8Array): KeyObject {
  if (IMPORTS_BY_JWK) {
    // Node takes the private key from `d`, derives the public key, and only requires that `x` is a string.
    const d = bytesAs('base64url', seed);
    return createPrivateKey({ key: { kty: 'OKP', crv: curve, d, x: '' }, format: 'jwk' });
  }
  const prefix = PKCS8_PREFIX[curve];
  const der = Buffer.alloc(prefix.length + seed.length);
  der.set(prefix);
  der.set(seed, prefix.length);
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

/** The raw public key of a private KeyObject. */
export function rawPublicOf(privateKey: KeyObject): Uint8Array {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' }) as { x: string };
  return fromBase64Url(x);
}

function importPublic(raw: Uint8Array): KeyObject {
  const x = bytesAs('base64url', raw);
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

function fromBase64Url(text: string): Uint8Array {
  // A copy: Buffer.from(string) takes small buffers from a shared pool, whose copy of the secret cannot be wiped.
  return new Uint8Array(Buffer.from(text, 'base64url'));
}

class PlainSeed implements HeldSeed {
  readonly #seed: Uint8Array;

  /** @param seed not copied */
  constructor(seed: Uint8Array) {
    this.#seed = seed;
  }

  copy(): Uint8Array {
    return this.#seed.slice();
  }

  wipe(): void {
    this.#seed.fill(0);
  }
}

class NodeSecretKey extends PlainSeed implements SecretKey {
  readonly publicKey: Uint8Array;
  /** Imported at the first signature: creating a user's credentials never needs it. */
  #privateKey: KeyObject | undefined;

  constructor(seed: Uint8Array, publicKey: Uint8Array, privateKey?: KeyObject) {
    super(seed);
    this.publicKey = publicKey;
    this.#privateKey = privateKey;
  }

  sign(data: Uint8Array): Uint8Array {
    if (this.#privateKey === undefined) {
      const seed = this.copy();
      this.#privateKey = importSeed('Ed25519', seed);
      seed.fill(0);
    }
    return cryptoSign(null, data, this.#privateKey);
  }

  override wipe(): void {
    super.wipe();
    this.#privateKey = undefined;
  }
}

class NodeVerifier implements Verifier {
  readonly #key: KeyObject;

  constructor(publicKey: Uint8Array) {
    this.#key = importPublic(publicKey);
  }

  verify(data: Uint8Array, signature: Uint8Array): boolean {
    return cryptoVerify(null, data, this.#key, signature);
  }
}

/** Ed25519 by `node:crypto`. Seeds are in ordinary memory. */
export const nodeEd25519: Ed25519 = {
  generate() {
    const { seed, publicKey } = generateRaw('Ed25519');
    return new NodeSecretKey(seed, publicKey);
  },
  load(seed) {
    const privateKey = importSeed('Ed25519', seed);
    return new NodeSecretKey(seed.slice(), rawPublicOf(privateKey), privateKey);
  },
  publicKeyOf: (seed) => rawPublicOf(importSeed('Ed25519', seed)),
  verifier: (publicKey) => new NodeVerifier(publicKey),
  hold: (seed) => new PlainSeed(seed.slice()),
};
