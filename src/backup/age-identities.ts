// Reads age identities, and decrypts with them.
import { Decrypter, type Identity } from 'age-encryption';
import { BackupError } from '../errors.js';
import { readSmallFile } from '../files/read-small-file.js';
import { checkSecretFile } from '../trust/private-files.js';

const MAX_IDENTITY_BYTES = 64 * 1024;
/** More than any file has: each recipient costs a key exchange. */
const MAX_RECIPIENTS = 1_000;

/**
 * Reads the identities of a file, as `age-keygen` writes it: lines with `AGE-SECRET-KEY-…`, and comments.
 *
 * @throws BackupError `ERR_BACKUP_IDENTITY`; FileError; TrustError `ERR_TRUST_SECRET_EXPOSED`
 */
export async function readIdentities(path: string): Promise<string[]> {
  checkSecretFile(path);
  const content = await readSmallFile(path, MAX_IDENTITY_BYTES);
  const lines = Buffer.from(content).toString('utf8').split(/\r?\n/);
  content.fill(0);
  const identities = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length > 0 && identities.every((line) => /^AGE-SECRET-KEY-/i.test(line))) {
    decrypterOf(path, identities);
    return identities;
  }
  throw new BackupError(
    'ERR_BACKUP_IDENTITY',
    path,
    `${path} is not an age identity file: give the one that "age-keygen -o FILE" wrote (AGE-SECRET-KEY-…)`,
  );
}

/**
 * Decrypts a file with age.
 *
 * @param path the file, for the error
 * @param identities from {@link readIdentities}
 * @param decrypt decrypts with the given decrypter
 * @param damaged returns the error for a file that age cannot decrypt at all
 * @throws BackupError `ERR_BACKUP_IDENTITY` when it is encrypted to other recipients; the error of `damaged`
 */
export async function decryptWith<T>(
  path: string,
  identities: readonly string[],
  decrypt: (decrypter: Decrypter) => Promise<T>,
  damaged: (cause: unknown) => Error,
): Promise<T> {
  const decrypter = decrypterOf(path, identities);
  try {
    return await decrypt(decrypter);
  } catch (cause) {
    if (!/no identity matched/i.test(String(cause))) throw damaged(cause);
    throw new BackupError(
      'ERR_BACKUP_IDENTITY',
      path,
      `${path} is not encrypted to this identity: give the identity of one of its recipients`,
      { cause },
    );
  }
}

/** @throws BackupError `ERR_BACKUP_IDENTITY`, without the identity, which the library's error repeats */
function decrypterOf(path: string, identities: readonly string[]): Decrypter {
  const decrypter = new Decrypter();
  // asked first: it has no key, and sees how many recipients there are
  const guard: Identity = {
    unwrapFileKey: (stanzas) => {
      if (stanzas.length > MAX_RECIPIENTS) throw new Error(`it has more than ${MAX_RECIPIENTS} recipients`);
      return null;
    },
  };
  decrypter.addIdentity(guard);
  for (const [i, identity] of identities.entries()) {
    try {
      decrypter.addIdentity(identity);
    } catch {
      throw new BackupError(
        'ERR_BACKUP_IDENTITY',
        path,
        `age identity ${i + 1} of ${identities.length} for ${path} is damaged: use one as printed by "age-keygen"`,
      );
    }
  }
  return decrypter;
}
