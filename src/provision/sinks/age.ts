// Sink: one age-encrypted file per peel.
import { isAgeFile } from '../../files/is-age-file.js';
import type { Delivery } from '../delivery.js';
import { filesDelivery, isTaken, alreadyExists, type DirectoryOptions } from './directory.js';
import { encrypterFor } from './encrypter.js';
import { ageFileName } from './file-names.js';

/**
 * Writes `<id>.creds.age` into a directory, encrypted to recipients: only they can read it; Zester cannot.
 *
 * @param ageRecipients `age1…`
 * @throws UsageError for an invalid recipient, FileError as `directoryDelivery`
 */
export async function ageDelivery(
  directory: string,
  ageRecipients: readonly string[],
  options: DirectoryOptions = {},
): Promise<Delivery> {
  encrypterFor(ageRecipients); // reject bad recipients before anything is written
  return filesDelivery(directory, options, { nameOf: ageFileName, has: hasAgeFile, ageRecipients });
}

/** Checks only that it is an age file: its writer and its peel cannot be determined. */
async function hasAgeFile(path: string): Promise<boolean> {
  if (!(await isTaken(path))) return false;
  if (await isAgeFile(path)) return true;
  throw alreadyExists(path);
}
