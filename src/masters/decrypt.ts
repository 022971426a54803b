// Decrypts an invitation with age.
import { decryptWith } from '../backup/age-identities.js';
import { readSmallFile } from '../files/read-small-file.js';
import { MAX_INVITE_BYTES, unusable } from './invite.js';

/**
 * Decrypts an invitation.
 *
 * @param identities `AGE-SECRET-KEY-…`
 * @returns its content, which contains seeds: the caller wipes it
 * @throws TrustError `ERR_TRUST_INVITE`; BackupError `ERR_BACKUP_IDENTITY` when it is encrypted to other recipients;
 *   FileError
 */
export async function decryptInvite(path: string, identities: readonly string[]): Promise<Uint8Array> {
  const encrypted = await readSmallFile(path, MAX_INVITE_BYTES);
  if (encrypted.length > MAX_INVITE_BYTES) throw unusable(path, 'it is too large for an invitation');
  return decryptWith(
    path,
    identities,
    (decrypter) => decrypter.decrypt(encrypted),
    (cause) => unusable(path, 'it is not an age-encrypted file, or it was changed', cause),
  );
}
