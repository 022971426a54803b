import { Encrypter } from 'age-encryption';
import { join } from 'node:path';
import { UsageError } from '../../errors.js';
import { readSmallFile } from '../../files/read-small-file.js';
import { sweepStaleTemporaries, writeSecretFile } from '../../files/write-secret-file.js';
import { MAX_CREDS_BYTES } from '../parse.js';
import { isThere, requireDirectory, thereAlready, type DirectorySinkOptions } from './directory.js';
import type { CredentialSink } from './sink.js';

const IN_FLIGHT = 8;
/** How every age file begins (age-encryption.org/v1). */
const AGE_HEADER = 'age-encryption.org/v1\n';

/**
 * Writes `<id>.creds.age` into a directory, encrypted to recipients: only they can read it, and Zester cannot.
 *
 * @param recipients `age1…`
 * @throws UsageError for what is no recipient, FileError when the directory cannot be used
 */
export async function ageSink(
  directory: string,
  recipients: readonly string[],
  options: DirectorySinkOptions = {},
): Promise<CredentialSink> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) addRecipient(encrypter, recipient);
  await requireDirectory(directory);
  await sweepStaleTemporaries(directory);
  const pathOf = (peelId: string) => join(directory, `${peelId}.creds.age`);
  return {
    concurrency: IN_FLIGHT,
    async has(peelId) {
      const path = pathOf(peelId);
      if (!(await isThere(path))) return false;
      // who wrote it and for which peel cannot be seen; that it is an age file can
      const head = Buffer.from(await readSmallFile(path, MAX_CREDS_BYTES)).toString(
        'latin1',
        0,
        AGE_HEADER.length,
      );
      if (head === AGE_HEADER) return true;
      throw thereAlready(path);
    },
    async deliver({ peelId, content }) {
      const path = pathOf(peelId);
      if (options.replace !== true && (await isThere(path))) throw thereAlready(path);
      await writeSecretFile(path, await encrypter.encrypt(content), { sweep: false });
    },
  };
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  // an identity is the secret that decrypts: it is not repeated, and not taken for its recipient
  if (/^AGE-SECRET-KEY-/i.test(recipient)) {
    throw new UsageError(
      'an age identity (AGE-SECRET-KEY-…) was given where a recipient belongs: give its age1…',
    );
  }
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new UsageError(`"${recipient}" is no age recipient: give one that begins with age1`, { cause });
  }
}
