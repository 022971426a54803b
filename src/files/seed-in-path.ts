// Refuses to write to a path that contains a seed.
import { FileError } from '../errors.js';
import { holdsWholeSeed } from '../text/whole-seeds.js';

/**
 * Refuses to write to a path that contains a seed: file names are visible to others, and appear in logs and backups.
 *
 * @throws FileError `ERR_FILE_WRITE`
 */
export function refuseSeedInPath(path: string): void {
  if (!holdsWholeSeed(path)) return;
  throw new FileError(
    'ERR_FILE_WRITE',
    path,
    'a seed was given where the path of a file belongs; nothing was written: treat the seed as exposed, and make a new key',
  );
}
