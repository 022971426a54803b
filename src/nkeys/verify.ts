// Verifies Ed25519 signatures.
import { ed25519, type Verifier } from './ed25519.js';
import { decodePublicKey } from './encoding.js';

/**
 * A cache of imported public keys: an account's key verifies every user that it signed, and an import costs a tenth of
 * a verification. Bounded, so that untrusted tokens cannot make it grow.
 */
const imported = new Map<string, Verifier>();
const MAX_IMPORTED = 1024;

/**
 * Verifies a signature of `data` by `publicKey` (text, any signing role). False for a malformed signature.
 *
 * @throws KeyError when `publicKey` is not a public key
 */
export function verifySignature(
  publicKey: string,
  data: Uint8Array | string,
  signature: Uint8Array,
): boolean {
  let key = imported.get(publicKey);
  if (key === undefined) {
    key = ed25519().verifier(decodePublicKey(publicKey).raw);
    if (imported.size >= MAX_IMPORTED) {
      const oldest = imported.keys().next();
      if (!oldest.done) imported.delete(oldest.value);
    }
    imported.set(publicKey, key);
  }
  if (signature.length !== 64) return false;
  return key.verify(typeof data === 'string' ? Buffer.from(data) : data, signature);
}
