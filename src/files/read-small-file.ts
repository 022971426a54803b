import { open } from 'node:fs/promises';
import { FileError } from '../errors.js';

/**
 * Reads a small file whole, and of a large one no more than tells that it is too large.
 *
 * @param maxBytes the size that the caller takes; one byte more is read, so that it can tell
 * @throws FileError `ERR_FILE_NOT_FOUND`, `ERR_FILE_IS_DIRECTORY`, `ERR_FILE_READ`
 */
export async function readSmallFile(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const buffer = new Uint8Array(maxBytes + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      const content = buffer.slice(0, length);
      buffer.fill(0, 0, length);
      return content;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw readError(path, cause);
  }
}

/** What a failed read means, said for people. Shared with readers that are synchronous. */
export function readError(path: string, cause: unknown): FileError {
  const { code } = cause as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new FileError('ERR_FILE_NOT_FOUND', path, `cannot read ${path}: there is no such file`, {
        cause,
      });
    case 'EISDIR':
      return new FileError(
        'ERR_FILE_IS_DIRECTORY',
        path,
        `cannot read ${path}: it is a directory; give the path of a file`,
        { cause },
      );
    case 'EACCES':
    case 'EPERM':
      return new FileError(
        'ERR_FILE_READ',
        path,
        `cannot read ${path}: no permission; run as its owner, or check its mode`,
        { cause },
      );
    default:
      return new FileError(
        'ERR_FILE_READ',
        path,
        `cannot read ${path}: the system says ${code ?? String(cause)}`,
        {
          cause,
        },
      );
  }
}
