// Checks that files and directories of a home are private.
import { statSync, type Stats } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { FileError, TrustError } from '../errors.js';

/** The mode bits that grant access to the group and to others. */
const OTHERS = 0o077;

/**
 * Creates a directory of the home (0700) with its parents, or checks the existing one.
 *
 * @throws TrustError `ERR_TRUST_HOME_EXPOSED`, `ERR_TRUST_HOME`; FileError when it cannot be created
 */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') throw notADirectory(path, cause);
    const why = REASONS[(await reasonOf(path, code)) ?? ''] ?? `${code}`;
    throw new FileError('ERR_FILE_WRITE', path, `cannot create the directory ${path}: ${why}`, { cause });
  }
  checkPrivateDirectory(path);
}

const REASONS: Readonly<Record<string, string>> = {
  EROFS: 'the file system is read-only',
  EACCES: 'no permission',
  ENOSPC: 'the disk is full',
};

/**
 * A recursive `mkdir` reports ENOENT if it cannot create a directory in an existing one; the plain call has the reason.
 */
async function reasonOf(path: string, code: string | undefined): Promise<string | undefined> {
  if (code !== 'ENOENT') return code;
  return mkdir(path, { mode: 0o700 }).then(
    () => code,
    (error: NodeJS.ErrnoException) => error.code,
  );
}

/**
 * Checks that a directory belongs to this user (or root) and that only its owner can access it: others with write
 * access could plant keys there.
 *
 * @returns whether it exists
 * @throws TrustError `ERR_TRUST_HOME_EXPOSED`, `ERR_TRUST_HOME`
 */
export function checkPrivateDirectory(path: string): boolean {
  const found = statIfExists(path);
  if (found === undefined) return false;
  if (!found.isDirectory()) throw notADirectory(path);
  const exposure = exposureOf(found);
  if (exposure !== undefined) {
    throw new TrustError(
      'ERR_TRUST_HOME_EXPOSED',
      path,
      `the directory ${path} ${exposure}: its contents can be neither trusted nor secret; ` +
        `check them, then run "chmod 700 ${path}" as its owner`,
    );
  }
  return true;
}

/**
 * Checks that only the owner can access a file that contains a secret.
 *
 * @returns whether it exists
 * @throws TrustError `ERR_TRUST_SECRET_EXPOSED`
 */
export function checkSecretFile(path: string): boolean {
  const found = statIfExists(path);
  if (found === undefined) return false;
  const exposure = exposureOf(found);
  if (exposure !== undefined) {
    throw new TrustError(
      'ERR_TRUST_SECRET_EXPOSED',
      path,
      `the file ${path} ${exposure}, but contains a secret: run "chmod 600 ${path}", and if anyone may have read it, ` +
        'replace the key',
    );
  }
  return true;
}

/** Whether the path exists. @throws FileError when that cannot be determined */
export function pathExists(path: string): boolean {
  return statIfExists(path) !== undefined;
}

/**
 * Synchronous, since opening a home checks twenty paths: a thread costs ten times as much, and a master under load waits
 * for each.
 */
function statIfExists(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new FileError('ERR_FILE_READ', path, `cannot check ${path}: ${code}`, { cause });
  }
}

/** Describes the access of others; undefined: none. */
function exposureOf(found: Stats): string | undefined {
  const uid = process.getuid?.();
  if (uid !== undefined && uid !== 0 && found.uid !== uid && found.uid !== 0) {
    return `belongs to another user (uid ${found.uid})`;
  }
  const mode = found.mode & OTHERS;
  if ((mode & 0o022) !== 0) return 'can be written by others';
  return mode === 0 ? undefined : 'can be read by others';
}

function notADirectory(path: string, cause?: unknown): TrustError {
  return new TrustError('ERR_TRUST_HOME', path, `${path} is not a directory: choose another --home`, {
    cause,
  });
}
