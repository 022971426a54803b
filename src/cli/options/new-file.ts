// Refuses to replace an existing file without --force.
import { lstat } from 'node:fs/promises';
import { FileError } from '../../errors.js';

/**
 * Refuses to continue when something stands at `path` and `--force` was not given: the library replaces what is there, and
 * a key that is replaced by mistake is gone.
 *
 * @throws FileError `ERR_FILE_EXISTS`
 */
export async function refuseToReplace(path: string, force: boolean | undefined): Promise<void> {
  if (force === true) return;
  const found = await lstat(path).catch(() => undefined);
  // a directory is refused by the writer, with or without force
  if (found === undefined || found.isDirectory()) return;
  throw new FileError(
    'ERR_FILE_EXISTS',
    path,
    `${path} already exists: choose another --out, or pass --force to replace it`,
  );
}
