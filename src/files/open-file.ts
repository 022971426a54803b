// Opens regular files without blocking on pipes and devices.
import { constants, open as openFile, statSync, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { FileError } from '../errors.js';
import { readError } from './read-error.js';
import { refuseSeedInPath } from './seed-in-path.js';

/** Paths of files that the shell opened for the process: standard input, and process substitution, `<(…)`. */
const GIVEN_BY_SHELL = /^\/(?:dev\/(?:stdin$|fd\/\d+$)|proc\/self\/fd\/\d+$)/;

/** Do not block: without O_NONBLOCK, opening a named pipe waits until another process writes to it. */
export const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** Opens a file descriptor. Asynchronous, since it may wait for a network; reading and writing a small file is not. */
export const openDescriptor = promisify(openFile);

/** Whether a shell passed this path to a command; it may be a pipe. */
export function isShellPath(path: string): boolean {
  return GIVEN_BY_SHELL.test(path);
}

/** The options of {@link openToRead}. */
export interface ReadableFile {
  /** Also accept a pipe that the shell opened. */
  pipe?: boolean;
  /**
   * Throws to refuse a file: {@link requirePrivateFile}. Passed in, so that code without this check does not bundle it.
   */
  check?: (path: string, stats: Stats) => void;
}

/**
 * Opens a file for reading. Only regular files: a named pipe may never deliver anything, a device may never end.
 *
 * @throws FileError `ERR_FILE_NOT_REGULAR`, `ERR_FILE_IS_DIRECTORY`, `ERR_FILE_NOT_FOUND`, `ERR_FILE_READ`
 */
export async function openToRead(
  path: string,
  options: ReadableFile = {},
): Promise<{ file: FileHandle; stats: Stats }> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, READ_FLAGS);
    const stats = await file.stat();
    requireReadable(path, stats, options);
    return { file, stats };
  } catch (cause) {
    await file?.close();
    throw readError(path, cause);
  }
}

/** Checks an open file. @throws as {@link openToRead} */
export function requireReadable(path: string, stats: Stats, { pipe, check }: ReadableFile): void {
  if (pipe !== true || !stats.isFIFO() || !isShellPath(path)) requireRegular(path, stats);
  check?.(path, stats);
}

/**
 * Opens one of our files for appending, and creates it (mode 0600) if absent. Does not follow a link at its path, which
 * could lead anywhere.
 *
 * @throws FileError `ERR_FILE_NOT_REGULAR`; the system's error
 */
export async function openToAppend(path: string): Promise<FileHandle> {
  refuseSeedInPath(path);
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  let file: FileHandle;
  try {
    file = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw notRegular(path, 'a symbolic link', cause);
    if (code === 'ENXIO') throw notRegular(path, 'a pipe or a socket', cause);
    throw cause;
  }
  try {
    const stats = await file.stat();
    requireRegular(path, stats);
    const uid = process.getuid?.();
    if (uid !== undefined && uid !== 0 && stats.uid !== uid) {
      throw new FileError(
        'ERR_FILE_WRITE',
        path,
        `cannot write ${path}: it belongs to another user (uid ${stats.uid})`,
      );
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** @throws FileError `ERR_FILE_NOT_REGULAR`; for a directory an error with the code EISDIR */
export function requireRegular(path: string, stats: Stats): void {
  if (stats.isFile()) return;
  if (stats.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
  throw notRegular(path, kindOf(stats));
}

/**
 * Requires a file that this user wrote and nobody else can read: it contains a secret, which nobody else may choose.
 * Root also accepts a file of its directory's owner, since root may act for a service.
 *
 * @throws FileError `ERR_FILE_READ`
 */
export function requirePrivateFile(path: string, { uid, mode }: Stats): void {
  const own = process.getuid?.();
  if (own === undefined) return;
  const isOurs = uid === own || (own === 0 && isTheirsAlone(dirname(path), uid));
  if (isOurs && (mode & 0o077) === 0) return;
  const why = isOurs ? 'others can read it' : `it belongs to another user (uid ${uid})`;
  throw new FileError(
    'ERR_FILE_READ',
    path,
    `cannot use ${path}: ${why}, who may know the key in it; remove it`,
  );
}

/** Whether only a user and root can create files in a directory. */
export function isTheirsAlone(directory: string, uid: number): boolean {
  const found = statSync(directory);
  return (found.mode & 0o022) === 0 && (found.uid === 0 || found.uid === uid);
}

/** Describes the kind of file at a path. */
export function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  if (stats.isCharacterDevice() || stats.isBlockDevice()) return 'a device';
  if (stats.isDirectory()) return 'a directory';
  return 'not a file';
}

export function notRegular(path: string, kind: string, cause?: unknown): FileError {
  return new FileError(
    'ERR_FILE_NOT_REGULAR',
    path,
    `cannot use ${path}: it is ${kind}; give the path of a file`,
    {
      cause,
    },
  );
}
