// Converts a user's path, a string or a file: URL.
import { fileURLToPath } from 'node:url';
import { FileError } from '../errors.js';

/**
 * The path of a file given as a string or a `file:` URL, such as `new URL('web-01.creds', import.meta.url)`. A string
 * is returned unchanged: the code that reads or writes the file checks it.
 *
 * @throws FileError `ERR_FILE_NOT_FOUND` for a URL that is not a file on this machine; the message omits it, since it
 *   may contain a password
 */
export function pathOf(path: string | URL): string {
  if (!(path instanceof URL)) return path;
  try {
    return fileURLToPath(path);
  } catch (cause) {
    const message = `a ${path.protocol} URL does not name a file on this machine: give a file: URL, or a path`;
    throw new FileError('ERR_FILE_NOT_FOUND', '(no path)', message, { cause });
  }
}
