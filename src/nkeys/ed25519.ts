import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

/**
 * Raw 32-byte keys in and out of `node:crypto`, by way of JWK.
 *
 * JWK, because importing DER costs ten times as much on Node 20 (docs/nats-facts.md, 10). A private KeyObject is never
 * *exported* as JWK: on Node 20 `generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })` in a loop ends in
 * a deadlock within some thousand calls (the export holds the key's lock while a garbage collection frees the other
 * half of the pair). Having the pair generated straight into JWK does not.
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

/** A private KeyObject from a raw 32-byte seed. */
export function importSeed(curve: Curve, seed: Uint8Array): KeyObject {
  // Node takes the private half from `d` and only asks that `x` is a string; the public half is derived.
  const d = Buffer.from(seed.buffer, seed.byteOffset, seed.byteLength).toString('base64url');
  return createPrivateKey({ key: { kty: 'OKP', crv: curve, d, x: '' }, format: 'jwk' });
}

/** A public KeyObject from a raw 32-byte public key. */
export function importPublic(raw: Uint8Array): KeyObject {
  const x = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

/** The raw public half of a private KeyObject. */
export function rawPublicOf(privateKey: KeyObject): Uint8Array {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' }) as { x: string };
  return fromBase64Url(x);
}

function fromBase64Url(text: string): Uint8Array {
  // A copy: Buffer.from(string) takes small buffers from a shared pool, which cannot be wiped without harm to others.
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
