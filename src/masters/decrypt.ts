// Decrypts an invitation with age.
import { Decrypter } from 'age-encryption';
import { BackupError } from '../errors.js';
import { readSmallFile } from '../files/read-small-file.js';
import { MAX_INVITE_BYTES, unusable } from './invite.js';

/**
 * Decrypts an invitation.
 *
 * @param identities `AGE-SECRET-KEY-…`
 * @returns its content, which holds seeds: the caller wipes it
 * @throws TrustError `ERR_TRUST_INVITE`; BackupError `ERR_BACKUP_IDENTITY` when it is encrypted to somebody else; FileError
 */
export async function decryptInvite(path: string, identities: readonly string[]): Promise<Uint8Array> {
  const encrypted = await readSmallFile(path, MAX_INVITE_BYTES);
  if (encrypted.length > MAX_INVITE_BYTES) throw unusable(path, 'it is too large for an invitation');
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(encrypted);
  } catch (cause) {
    if (/no identity matched/i.test(String(cause)))
      throw new BackupError(
        'ERR_BACKUP_IDENTITY',
        path,
        `${path} is not encrypted to this identity: give the one of a recipient that it was made for`,
        { cause },
      );
    throw unusable(path, 'it is no file that age encrypted, or it was changed', cause);
  }
}
