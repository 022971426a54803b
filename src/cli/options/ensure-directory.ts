// Creates a directory for files with seeds (0700).
import { mkdir } from 'node:fs/promises';
import { FileError } from '../../errors.js';
import { refuseSeedInPath } from '../../files/seed-in-path.js';

/** Creates a directory for files with seeds (0700), and its parents, if missing. @throws FileError */
export async function ensureDirectory(path: string): Promise<void> {
  refuseSeedInPath(path);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new FileError('ERR_FILE_WRITE', path, `cannot create the directory ${path}: ${code}`, {
      cause,
    });
  }
}
