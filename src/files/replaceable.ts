// Decides whether a file may be replaced, and which owner it keeps.
import { lstatSync, statSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { FileError } from '../errors.js';
import { isTheirsAlone, kindOf, notRegular } from './open-file.js';

/** The owner of a file. */
export interface FileOwner {
  uid: number;
  gid: number;
}

/** Kernel directories: their entries are not replaceable files. */
const KERNEL_PATH = /^\/(?:dev(?!\/shm\/)|proc|sys)\//;

/**
 * Checks that a file may be written to a path: there must be nothing, a file, or a link (which is replaced, not
 * followed). Renaming over a device or a pipe would destroy it. Blocks for one or two system calls.
 *
 * If root replaces a service's file, its owner is kept, or the service could no longer read it. This requires a
 * directory that nobody else can write to: otherwise anybody could plant a file there to receive the secret.
 *
 * @returns the owner of the new file; undefined: the writing user
 * @throws FileError `ERR_FILE_NOT_REGULAR`, `ERR_FILE_WRITE`
 */
export function ownerToKeep(path: string): FileOwner | undefined {
  if (KERNEL_PATH.test(resolve(path))) throw notRegular(path, 'not a file, but a name of the system');
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) {
    const target = followed(path);
    if (target !== undefined && !target.isFile() && !target.isDirectory())
      throw notRegular(path, `a link to ${kindOf(target)}`);
    return undefined;
  }
  if (found.isDirectory()) return undefined; // the rename fails and reports it
  if (!found.isFile()) throw notRegular(path, kindOf(found));
  if (process.getuid?.() !== 0 || (found.uid === 0 && found.gid === 0)) return undefined;
  if (isTheirsAlone(dirname(path), found.uid)) return { uid: found.uid, gid: found.gid };
  if (found.uid === 0) return undefined; // only the group differs: not kept, and the owner keeps access
  throw new FileError(
    'ERR_FILE_WRITE',
    path,
    `cannot write ${path}: it belongs to another user (uid ${found.uid}), and others may write into its directory, so the ` +
      'owner cannot be kept safely; remove the file first, or write into a directory that only its owner may write to',
  );
}

function followed(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // a dangling link, or a link loop
  }
}
