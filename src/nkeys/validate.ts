// Validates the text of public keys.
import { decodePublicKey, kindOfPublicKey, wrongRole } from './encoding.js';
import type { KeyKind } from './roles.js';

/**
 * Checks that `publicKey` is the text of a valid public key of this role.
 *
 * @throws KeyError `ERR_KEY_IS_A_SEED`, `ERR_KEY_ENCODING`, `ERR_KEY_CHECKSUM`, `ERR_KEY_ROLE`
 * @example
 * import { generateKeyBundle, KeyError, validatePublicKey } from 'zester';
 *
 * const { publicKey } = generateKeyBundle('account');
 * validatePublicKey(publicKey, 'account');
 * try {
 *   validatePublicKey(publicKey, 'user');
 * } catch (error) {
 *   if (!(error instanceof KeyError)) throw error;
 *   console.log(error.code); // ERR_KEY_ROLE
 * }
 */
export function validatePublicKey(publicKey: string, role: KeyKind): void {
  const decoded = decodePublicKey(publicKey);
  if (decoded.kind !== role) throw wrongRole(decoded.kindName, role, `the public key ${publicKey}`);
}

/** Whether `publicKey` is the text of a valid public key of this role. */
export function isPublicKey(publicKey: string, role: KeyKind): boolean {
  return kindOfPublicKey(publicKey) === role;
}
