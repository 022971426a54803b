// Writes a secret file atomically, with mode 0600.
import { closeSync, fchmodSync, fchownSync, fsync, writeSync } from 'node:fs';
import { link, lstat, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { FileError } from '../errors.js';
import { openDescriptor } from './open-file.js';
import { ownerToKeep } from './replaceable.js';
import { refuseSeedInPath } from './seed-in-path.js';
import { reserveTemporary, releaseTemporary, sweepOnce } from './temporaries.js';

/** The options for writing a secret file. */
export interface WriteSecretFileOptions {
  /** Remove temporary files of dead writers from the directory (default true), at most once an hour per directory. */
  sweep?: boolean | undefined;
  /**
   * Fail if the path exists (default false): of concurrent writers, in any process, exactly one succeeds and the others
   * get `ERR_FILE_EXISTS`. Needs a file system with hard links.
   */
  ifAbsent?: boolean | undefined;
}

const synced = promisify(fsync);

/**
 * Atomically writes a file that only its owner can read. At every instant the path has either the complete old or the
 * complete new content: a new file in the same directory is created exclusively with mode 0600, written, synced and
 * renamed over the path; then the directory is synced. A symlink at the path is replaced, not followed. Root keeps the
 * owner of the file that it replaces.
 *
 * The steps that may wait for a disk or a network are asynchronous. The others are not, since each would wait for a turn
 * of a busy event loop.
 *
 * @throws FileError `ERR_FILE_DIRECTORY_NOT_FOUND`, `ERR_FILE_IS_DIRECTORY`, `ERR_FILE_NOT_REGULAR`, `ERR_FILE_WRITE`;
 *   `ERR_FILE_EXISTS` with `ifAbsent`
 */
export async function writeSecretFile(
  path: string,
  content: Uint8Array,
  options: WriteSecretFileOptions = {},
): Promise<void> {
  refuseSeedInPath(path);
  const directory = dirname(path);
  const ifAbsent = options.ifAbsent ?? false;
  if (ifAbsent) await refuseExisting(path);
  if (options.sweep !== false) await sweepOnce(directory);
  const name = reserveTemporary(basename(path));
  const temporary = join(directory, name);
  try {
    const owner = ownerToKeep(path);
    const file = await openDescriptor(temporary, 'wx', 0o600);
    try {
      // the umask may have cleared mode bits; the file is ours and empty, so there is no race
      fchmodSync(file, 0o600);
      fillNewFile(file, content, owner);
      await synced(file);
    } finally {
      closeSync(file);
    }
    if (ifAbsent) await linkInPlace(temporary, path);
    else await rename(temporary, path);
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    throw await cannotWrite(path, directory, cause);
  } finally {
    releaseTemporary(name);
  }
  await syncDirectory(directory);
}

/** Gives a new file its owner and its content. */
export function fillNewFile(file: number, content: Uint8Array, owner: ReturnType<typeof ownerToKeep>): void {
  if (owner !== undefined) fchownSync(file, owner.uid, owner.gid);
  for (let at = 0; at < content.length;) at += writeSync(file, content, at);
}

/**
 * Refuses an existing path: a file, or a link, even a dangling one.
 *
 * @throws FileError `ERR_FILE_EXISTS`; `ERR_FILE_IS_DIRECTORY`
 */
export async function refuseExisting(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() === true) throw isDirectory(path);
  if (found !== undefined) throw alreadyThere(path);
}

/** Gives a file its name unless the name exists: a link, unlike a rename, never replaces a file. */
async function linkInPlace(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw alreadyThere(path, cause);
    // a shared folder or a USB stick, for which Linux may also report EPERM
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw cause;
    throw new FileError(
      'ERR_FILE_WRITE',
      path,
      `cannot write ${path} only if it is absent: its file system has no hard links; write it elsewhere, or without ifAbsent`,
      { cause },
    );
  }
  await unlink(temporary);
}

function isDirectory(path: string, cause?: unknown): FileError {
  return new FileError(
    'ERR_FILE_IS_DIRECTORY',
    path,
    `cannot write ${path}: it is a directory; give the path of a file`,
    { cause },
  );
}

function alreadyThere(path: string, cause?: unknown): FileError {
  return new FileError('ERR_FILE_EXISTS', path, `${path} exists already, and nothing was written`, { cause });
}

/**
 * The rename is durable once the directory is synced. File systems that cannot sync directories report it, and need no
 * sync.
 */
export async function syncDirectory(directory: string): Promise<void> {
  try {
    const file = await openDescriptor(directory, 'r');
    try {
      await synced(file);
    } finally {
      closeSync(file);
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

/** Converts the system's error for a file that could not be written. */
export async function cannotWrite(path: string, directory: string, cause: unknown): Promise<FileError> {
  if (cause instanceof FileError) return cause;
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
    return isDirectory(path, cause);
  }
  return new FileError(
    'ERR_FILE_WRITE',
    path,
    `cannot write ${path}: ${writeReason(cause)}; an existing file is unchanged`,
    {
      cause,
    },
  );
}

/** Describes why the system could not write. */
export function writeReason(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? `${code ?? String(cause)}`;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission denied in its directory',
  EPERM: 'permission denied in its directory',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long',
};
