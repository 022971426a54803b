import { createHash, randomBytes } from 'node:crypto';
import { open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { FileError } from '../errors.js';

/** How {@link writeSecretFile} goes about it. */
export interface WriteSecretFileOptions {
  /**
   * Look through the directory for what writers that died left of this same file, and remove it (default true). Turn it
   * off where very many files go into one directory, and call {@link sweepStaleTemporaries} once instead.
   */
  sweep?: boolean;
}

/**
 * Writes a file that only its owner may read, so that at every instant the path holds the whole old content or the
 * whole new one, and nobody else could ever have read it: a new file beside it, created exclusively with mode 0600,
 * written, synced, renamed over the path; then the directory is synced. A symlink at the path is replaced, not followed.
 *
 * @throws FileError `ERR_FILE_DIRECTORY_NOT_FOUND`, `ERR_FILE_IS_DIRECTORY`, `ERR_FILE_WRITE`
 */
export async function writeSecretFile(
  path: string,
  content: Uint8Array,
  options: WriteSecretFileOptions = {},
): Promise<void> {
  const directory = dirname(path);
  const name = temporaryName(basename(path));
  const temporary = join(directory, name);
  live.add(name);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      // the umask may have taken bits from the mode; the file is ours and empty, so this opens no window
      await file.chmod(0o600);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    throw await explain(path, directory, cause);
  } finally {
    live.delete(name);
  }
  await syncDirectory(directory);
  if (options.sweep !== false) await sweepStaleTemporaries(directory, basename(path));
}

/**
 * Removes the temporary files that writers which died left in a directory; those of live writers stay.
 *
 * @param name only those of the file of this name; without it, of every file
 */
export async function sweepStaleTemporaries(directory: string, name?: string): Promise<void> {
  const entries = await readdir(directory).catch(() => []);
  for (const entry of entries) {
    const parsed = TEMPORARY.exec(entry);
    if (parsed === null || (name !== undefined && parsed[1] !== name)) continue;
    const path = join(directory, entry);
    if (!live.has(entry) && (await isStale(path, parsed))) await unlink(path).catch(() => undefined);
  }
}

/** The names of the temporaries that this thread is writing right now: names, since one directory has many paths. */
const live = new Set<string>();

/** Where a process id means what it means here: another host or container on the same volume has others. */
const hostTag = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);

const TEMPORARY = /^\.(.+)\.zester-tmp-([0-9a-f]{6})-(\d+)-(\d+)-[0-9a-f]{12}$/;

/** A writer of another host cannot be asked whether it lives; an hour is longer than any write. */
const MAX_AGE_MS = 3_600_000;

function temporaryName(name: string): string {
  return `.${name}.zester-tmp-${hostTag}-${process.pid}-${threadId}-${randomBytes(6).toString('hex')}`;
}

async function isStale(path: string, [, , host, pid, thread]: RegExpExecArray): Promise<boolean> {
  if (host === hostTag) {
    if (Number(pid) === process.pid && Number(thread) === threadId) return true; // ours, and not in `live`
    if (!isAlive(Number(pid))) return true;
  }
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > MAX_AGE_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The rename is durable once the directory is. File systems that cannot sync one say so, and have nothing to sync. */
async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EINVAL' && code !== 'ENOTSUP' && code !== 'EISDIR' && code !== 'EACCES') {
      throw new FileError('ERR_FILE_WRITE', directory, `cannot sync the directory ${directory} (${code})`, {
        cause: error,
      });
    }
  }
}

async function explain(path: string, directory: string, cause: unknown): Promise<FileError> {
  const { code } = cause as NodeJS.ErrnoException;
  const parent = await stat(directory).catch(() => undefined);
  if (parent === undefined && code === 'ENOENT') {
    return new FileError(
      'ERR_FILE_DIRECTORY_NOT_FOUND',
      path,
      `cannot write ${path}: the directory ${directory} does not exist; create it first (mkdir -p -m 700)`,
      { cause },
    );
  }
  if (parent?.isDirectory() === false || code === 'ENOTDIR') {
    return new FileError('ERR_FILE_WRITE', path, `cannot write ${path}: ${directory} is not a directory`, {
      cause,
    });
  }
  if (code === 'EISDIR' || (await stat(path).catch(() => undefined))?.isDirectory() === true) {
    return new FileError(
      'ERR_FILE_IS_DIRECTORY',
      path,
      `cannot write ${path}: it is a directory; give the path of a file`,
      { cause },
    );
  }
  const reason = REASONS[code ?? ''] ?? `the system says ${code ?? String(cause)}`;
  return new FileError(
    'ERR_FILE_WRITE',
    path,
    `cannot write ${path}: ${reason}; what was there is unchanged`,
    {
      cause,
    },
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'no permission to write into its directory',
  EPERM: 'no permission to write into its directory',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long',
};
