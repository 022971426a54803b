// Sink: one .creds file per peel.
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { BulkError, CredsError, FileError } from '../../errors.js';
import { claim } from '../../files/claim.js';
import { sweepStaleTemporaries } from '../../files/temporaries.js';
import type { Delivery } from '../delivery.js';
import type { DoneBatch } from '../product.js';
import { loadCredsFile } from '../../creds/parse.js';
import { FileWriters } from './file-writers.js';
import { credsFileName } from './file-names.js';

/** The options of a directory sink. */
export interface DirectoryOptions {
  /** Replace existing files (default false). */
  replace?: boolean;
}

/** Batches written concurrently: while some are synced together, the next are placed. */
const BATCHES_IN_FLIGHT = 32;

/** The kind of files in a directory. */
interface FileForm {
  nameOf(peelId: string): string;
  /**
   * Whether the peel's complete file exists.
   *
   * @throws BulkError `ERR_BULK_DELIVERY` when the file is something else
   */
  has(path: string, peelId: string): Promise<boolean>;
  ageRecipients?: readonly string[];
}

/**
 * Writes `<id>.creds` into a directory, atomically: mode 0600, complete or absent, synced. Locks the directory against
 * other runs, and first removes temporary files of an interrupted run.
 *
 * @throws FileError when the directory cannot be used, or is locked by another run
 */
export function directoryDelivery(directory: string, options: DirectoryOptions = {}): Promise<Delivery> {
  return filesDelivery(directory, options, { nameOf: credsFileName, has: hasCredentials });
}

/** Like {@link directoryDelivery}, for files of another form. */
export async function filesDelivery(
  directory: string,
  { replace = false }: DirectoryOptions,
  form: FileForm,
): Promise<Delivery> {
  await requireDirectory(directory);
  const { release } = await claim(directory);
  await sweepStaleTemporaries(directory);
  const { ageRecipients } = form;
  const pathOf = (peelId: string) => join(directory, form.nameOf(peelId));
  return {
    has: (peelId) => form.has(pathOf(peelId), peelId),
    async run(issue, ids, events) {
      let broken: { error: unknown } | undefined;
      const writers = new FileWriters(directory, replace);
      const underWay = new Set<Promise<void>>();
      const write = async ({ peelIds, result, recycle }: DoneBatch<'files'>) => {
        try {
          const { outcomes, error } = await writers.write(result, recycle);
          await events.delivered(peelIds.filter((_id, i) => outcomes[i] === 'written'));
          for (const [i, peelId] of peelIds.entries())
            if (outcomes[i] === 'there') events.failed(peelId, alreadyExists(pathOf(peelId)));
          if (error !== undefined) broken ??= { error };
        } catch (error) {
          broken ??= { error };
        }
      };
      const product = { kind: 'files' as const, ...(ageRecipients && { ageRecipients }) };
      try {
        for await (const batch of issue<'files'>(ids, product)) {
          const writing: Promise<void> = write(batch).finally(() => underWay.delete(writing));
          underWay.add(writing);
          if (underWay.size >= BATCHES_IN_FLIGHT) await Promise.race(underWay);
          if (broken !== undefined) break;
        }
      } finally {
        // finish and report work in progress: a thread that is writing a file is not interrupted
        await Promise.all(underWay);
        await writers.close();
      }
      if (broken !== undefined) throw broken.error;
    },
    finish: release,
    abort: release,
  };
}

/** @throws FileError */
export async function requireDirectory(directory: string): Promise<void> {
  const found = await lstat(`${directory}/.`).catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    const [what, why]: [FileError['code'], string] =
      code === 'ENOENT'
        ? ['ERR_FILE_DIRECTORY_NOT_FOUND', 'it does not exist; create it first (mkdir -p -m 700)']
        : ['ERR_FILE_WRITE', code === 'ENOTDIR' ? 'it is not a directory' : `${code}`];
    throw new FileError(what, directory, `cannot write into ${directory}: ${why}`, { cause });
  });
  if (!found.isDirectory()) {
    throw new FileError('ERR_FILE_WRITE', directory, `cannot write into ${directory}: it is not a directory`);
  }
}

/** Whether something exists at a path, including a dangling link. */
export async function isTaken(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

/** The error for a file that must not be replaced. */
export function alreadyExists(path: string): BulkError {
  return new BulkError(
    'ERR_BULK_DELIVERY',
    `${path} already exists: pass --resume to continue an interrupted run, or --force to replace it`,
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
    throw new BulkError('ERR_BULK_DELIVERY', `${cause.message}; it is not replaced without --force`, {
      cause,
    });
  }
  if (name === peelId) return true;
  throw new BulkError(
    'ERR_BULK_DELIVERY',
    `${path} holds the credentials of "${name ?? ''}", not of "${peelId}": remove it, or pass --force to replace it`,
  );
}
