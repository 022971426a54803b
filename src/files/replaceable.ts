// Decides whether a file may be replaced, and which owner it keeps.
import { lstatSync, statSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { FileError } from '../errors.js';
import { isTheirsAlone, kindOf, notRegular } from './open-file.js';

/** Who a file belongs to. */
export interface FileOwner {
  uid: number;
  gid: number;
}

/** Directories of the kernel: what stands there is no file to be replaced, and a link there is not ours to replace. */
const OF_THE_KERNEL = /^\/(?:dev(?!\/shm\/)|proc|sys)\//;

/**
 * Checks that a file may be put at a path, in place of what stands there: nothing, a file, or a link (which is replaced, not
 * followed). Renaming over a device or a pipe would destroy it. Blocks, for one or two calls of the system.
 *
 * Root that replaces the file of a service keeps its owner, or the service could no longer read it. Only where nobody else
 * may write into the directory: there, anybody could leave a file to be given the secret.
 *
 * @returns the owner that the new file gets; undefined: the writing user
 * @throws FileError `ERR_FILE_NOT_REGULAR`, `ERR_FILE_WRITE`
 */
export function ownerToKeep(path: string): FileOwner | undefined {
  if (OF_THE_KERNEL.test(resolve(path))) throw notRegular(path, 'not a file, but a system name');
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) {
    const target = followed(path);
    if (target !== undefined && !target.isFile() && !target.isDirectory())
      throw notRegular(path, `a link to ${kindOf(target)}`);
    return undefined;
  }
  if (found.isDirectory()) return undefined; // the rename fails, and says so
  if (!found.isFile()) throw notRegular(path, kindOf(found));
  if (process.getuid?.() !== 0 || (found.uid === 0 && found.gid === 0)) return undefined;
  if (isTheirsAlone(dirname(path), found.uid)) return { uid: found.uid, gid: found.gid };
  if (found.uid === 0) return undefined; // another group only: not kept, and nobody loses what they own
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
    return undefined; // a link into nowhere, or in a circle
  }
}
