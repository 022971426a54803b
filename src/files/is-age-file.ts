// Recognizes a file that is encrypted with age.
import { readSmallFile } from './read-small-file.js';

/** The first line of every age file that is not armored (age-encryption.org/v1). */
const AGE_HEADER = 'age-encryption.org/v1\n';

/**
 * Whether a file is encrypted with age, whatever its size. Does not recognize an armored one.
 *
 * @throws FileError as `readSmallFile`
 */
export async function isAgeFile(path: string): Promise<boolean> {
  const start = Buffer.from(await readSmallFile(path, AGE_HEADER.length));
  return start.toString('latin1', 0, AGE_HEADER.length) === AGE_HEADER;
}
