// The path that a user gives, as text or as a file: URL.
import { fileURLToPath } from 'node:url';
import { FileError } from '../errors.js';

/**
 * The path of a file that is given as text or as a `file:` URL, such as `new URL('web-01.creds', import.meta.url)`. Text is left
 * as it is: what reads or writes it checks it.
 *
 * @throws FileError `ERR_FILE_NOT_FOUND` for a URL that is no file of this machine; it is not shown, for it may hold a password
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
