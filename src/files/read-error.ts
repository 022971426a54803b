// Turns a failed read into a FileError.
import { FileError } from '../errors.js';

/** Explains a failed read to people. Shared with synchronous readers. */
export function readError(path: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  const { code } = cause as NodeJS.ErrnoException;
  if (isContent(path, code)) {
    return new FileError(
      code === 'ENAMETOOLONG' ? 'ERR_FILE_READ' : 'ERR_FILE_NOT_FOUND',
      '(no path)',
      `cannot read a file: its content (${path.length} characters) was given in place of its path; give the path of a file`,
    );
  }
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new FileError('ERR_FILE_NOT_FOUND', path, `cannot read ${path}: no such file`, {
        cause,
      });
    case 'EISDIR':
      return new FileError(
        'ERR_FILE_IS_DIRECTORY',
        path,
        `cannot read ${path}: it is a directory; give the path of a file`,
        { cause },
      );
    case 'ENXIO':
      return new FileError(
        'ERR_FILE_NOT_REGULAR',
        path,
        `cannot use ${path}: it is a socket; give the path of a file`,
        { cause },
      );
    case 'EACCES':
    case 'EPERM':
      return new FileError(
        'ERR_FILE_READ',
        path,
        `cannot read ${path}: permission denied; run as its owner, or check its mode`,
        { cause },
      );
    default:
      return new FileError('ERR_FILE_READ', path, `cannot read ${path}: ${code ?? String(cause)}`, {
        cause,
      });
  }
}

/** Whether a file's content was given where its path belongs. It may be a secret, so it is not repeated. */
function isContent(path: string, code: string | undefined): boolean {
  if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ENAMETOOLONG') return false;
  return code === 'ENAMETOOLONG' || /[\r\n]|-----BEGIN |^["']?(?:eyJ|LS0tLS1)/.test(path);
}
