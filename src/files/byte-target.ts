// The destination of a stream of credentials: a file or standard output.
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileError } from '../errors.js';
import { ownerToKeep } from './replaceable.js';
import { refuseSeedInPath } from './seed-in-path.js';
import { systemReason } from './system-reason.js';
import { syncDirectory } from './write-secret-file.js';
import { reserveTemporary, releaseTemporary, sweepOnce } from './temporaries.js';

/** The destination of a stream of credentials. */
export interface ByteTarget {
  /** Resolves when the operating system has accepted the bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** Called when everything is written. Resolves when it is durable, if the target can be. */
  finish(): Promise<void>;
  /** Called instead of `finish` when the stream stops early. */
  abort(): Promise<void>;
}

/**
 * A file, mode 0600, that appears at its path only when it is complete and synced. Until then, it has a temporary name
 * in the same directory, and an existing file stays. Removes temporary files of killed runs.
 *
 * @throws FileError
 */
export async function fileTarget(path: string): Promise<ByteTarget> {
  refuseSeedInPath(path);
  const directory = dirname(path);
  await sweepOnce(directory);
  const owner = ownerToKeep(path);
  const name = reserveTemporary(basename(path));
  const temporary = join(directory, name);
  const explained = async <T>(act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (cause) {
      throw explain(path, directory, cause);
    }
  };
  const file = await explained(() => open(temporary, 'wx', 0o600));
  let renamed = false;
  const abort = async () => {
    if (renamed) return;
    await file.close().catch(() => undefined);
    await unlink(temporary).catch(() => undefined);
    releaseTemporary(name);
  };
  try {
    // the umask may have taken bits from the mode; the file is ours and empty
    await explained(() => file.chmod(0o600));
    if (owner !== undefined) await explained(() => file.chown(owner.uid, owner.gid));
  } catch (error) {
    await abort();
    throw error;
  }
  return {
    write: (bytes) => explained(() => file.appendFile(bytes)),
    finish: () =>
      explained(async () => {
        await file.sync();
        await file.close();
        await rename(temporary, path);
        renamed = true;
        releaseTemporary(name);
        await syncDirectory(directory);
      }),
    abort,
  };
}

function explain(path: string, directory: string, cause: unknown): FileError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') {
    return new FileError(
      'ERR_FILE_DIRECTORY_NOT_FOUND',
      path,
      `cannot write ${path}: the directory ${directory} does not exist; create it first (mkdir -p -m 700)`,
      { cause },
    );
  }
  return new FileError(
    'ERR_FILE_WRITE',
    path,
    `cannot write ${path}: ${systemReason(code)}; an existing file is unchanged`,
    {
      cause,
    },
  );
}
