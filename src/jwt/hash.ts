// Hashes of JWTs and claims.
import * as crypto from 'node:crypto';

/** Node's one-shot hash is a third cheaper than `createHash`; available since Node 20.12. */
const hasOneShot = typeof (crypto as { hash?: unknown }).hash === 'function';

/** SHA-512/256, which NATS uses for `jti`. */
export const sha512256: (bytes: Uint8Array) => Uint8Array = hasOneShot
  ? (bytes) => crypto.hash('sha512-256', bytes, 'buffer')
  : (bytes) => crypto.createHash('sha512-256').update(bytes).digest();

/** SHA-256 as a string of 32 characters, one per byte: the shortest form for a set. */
export const sha256Key: (text: string) => string = hasOneShot
  ? (text) => crypto.hash('sha256', text, 'binary')
  : (text) => crypto.createHash('sha256').update(text).digest('binary');
