import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { BulkError, CredsError, FileError } from '../../errors.js';
import { sweepStaleTemporaries, writeSecretFile } from '../../files/write-secret-file.js';
import type { PeelCredential } from '../bulk/issue-batch.js';
import { loadCredsFile } from '../parse.js';
import type { CredentialSink } from './sink.js';

/** Files on their way at once: enough for a disk to sync several together, few enough to hold none of it long. */
const FILES_IN_FLIGHT = 32;

/** How a directory takes credentials. */
export interface DirectorySinkOptions {
  /** Replace a file that is there (default false). */
  replace?: boolean;
}

/**
 * Writes `<id>.creds` into a directory: mode 0600, whole or not at all, synced. Temporary files that an interrupted run
 * left are removed first.
 *
 * @throws FileError when the directory cannot be used
 */
export async function directorySink(
  directory: string,
  options: DirectorySinkOptions = {},
): Promise<CredentialSink> {
  await requireDirectory(directory);
  await sweepStaleTemporaries(directory);
  const pathOf = (peelId: string) => join(directory, `${peelId}.creds`);
  return {
    concurrency: FILES_IN_FLIGHT,
    has: (peelId) => hasCredentials(pathOf(peelId), peelId),
    async deliver({ peelId, content }: PeelCredential) {
      const path = pathOf(peelId);
      if (options.replace !== true && (await isThere(path))) throw thereAlready(path);
      await writeSecretFile(path, content, { sweep: false });
    },
  };
}

/** @throws FileError */
export async function requireDirectory(directory: string): Promise<void> {
  const found = await lstat(`${directory}/.`).catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    const [what, why]: [FileError['code'], string] =
      code === 'ENOENT'
        ? ['ERR_FILE_DIRECTORY_NOT_FOUND', 'it does not exist; create it first (mkdir -p -m 700)']
        : ['ERR_FILE_WRITE', code === 'ENOTDIR' ? 'it is no directory' : `the system says ${code}`];
    throw new FileError(what, directory, `cannot write into ${directory}: ${why}`, { cause });
  });
  if (!found.isDirectory()) {
    throw new FileError('ERR_FILE_WRITE', directory, `cannot write into ${directory}: it is no directory`);
  }
}

/** Whether something stands at a path, a link that leads nowhere too. */
export async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

/** The error for a file that was not to be replaced. */
export function thereAlready(path: string): BulkError {
  return new BulkError(
    'ERR_BULK_DELIVERY',
    `${path} is there already: --resume goes on after an interrupted run, --force replaces what is there`,
  );
}

async function hasCredentials(path: string, peelId: string): Promise<boolean> {
  let name: string | undefined;
  try {
    const creds = await loadCredsFile(path);
    creds.wipe();
    name = creds.claims.name;
  } catch (cause) {
    if (cause instanceof FileError && cause.code === 'ERR_FILE_NOT_FOUND') return false;
    if (!(cause instanceof CredsError) && !(cause instanceof FileError)) throw cause;
    throw new BulkError(
      'ERR_BULK_DELIVERY',
      `${cause.message}; a file that stands in the way is not replaced without --force`,
      { cause },
    );
  }
  if (name === peelId) return true;
  throw new BulkError(
    'ERR_BULK_DELIVERY',
    `${path} holds the credentials of "${name ?? ''}", not of "${peelId}": take it away, or --force to replace it`,
  );
}
