// Turns a failed read into a FileError.
import { FileError, type FileErrorCode } from '../errors.js';

/** Explains a failed read to people. Shared with synchronous readers. */
export function readError(path: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  const { code } = cause as NodeJS.ErrnoException;
  if (isContent(path, code)) {
    return new FileError(
      code === 'ENAMETOOLONG' ? 'ERR_FILE_READ' : 'ERR_FILE_NOT_FOUND',
      '(no path)',
      `cannot read a file: its content (${path.length} characters) was given instead of its path; give the path of a file`,
    );
  }
  const [kind, why] = explain(code) ?? ['ERR_FILE_READ', code ?? String(cause)];
  return new FileError(kind, path, `cannot read ${path}: ${why}`, { cause });
}

function explain(code: string | undefined): [FileErrorCode, string] | undefined {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return ['ERR_FILE_NOT_FOUND', 'no such file'];
    case 'EISDIR':
      return ['ERR_FILE_IS_DIRECTORY', 'it is a directory; give the path of a file'];
    case 'ENXIO':
      return ['ERR_FILE_NOT_REGULAR', 'it is a socket; give the path of a file'];
    case 'EACCES':
    case 'EPERM':
      return ['ERR_FILE_READ', 'permission denied; run as its owner, or check its mode'];
    default:
      return undefined;
  }
}

/** Whether a file's content was given instead of its path. It may be a secret, so the message does not repeat it. */
function isContent(path: string, code: string | undefined): boolean {
  if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ENAMETOOLONG') return false;
  return code === 'ENAMETOOLONG' || /[\r\n]|-----BEGIN |^["']?(?:eyJ|LS0tLS1)/.test(path);
}
