// Refuses to replace an existing file without --force.
import { lstat } from 'node:fs/promises';
import { FileError } from '../../errors.js';

/**
 * Refuses to continue if `path` exists and `--force` was not given: the library would replace it, and a key replaced by
 * mistake is lost.
 *
 * @param option the command's name for it
 * @throws FileError `ERR_FILE_EXISTS`
 */
export async function refuseToReplace(
  path: string,
  force: boolean | undefined,
  option = '--force',
): Promise<void> {
  if (force === true) return;
  const found = await lstat(path).catch(() => undefined);
  // the writer refuses a directory, with or without --force
  if (found === undefined || found.isDirectory()) return;
  throw new FileError(
    'ERR_FILE_EXISTS',
    path,
    `${path} already exists: choose another --out, or pass ${option} to replace it`,
  );
}
