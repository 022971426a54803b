import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { BulkError, CredsError, FileError } from '../../errors.js';
import { claim } from '../../files/claim.js';
import { sweepStaleTemporaries } from '../../files/temporaries.js';
import type { Delivery } from '../bulk/delivery.js';
import { loadCredsFile } from '../parse.js';
import { credsFileName } from './file-names.js';

/** How a directory takes credentials. */
export interface DirectoryOptions {
  /** Replace a file that is there (default false). */
  replace?: boolean;
}

/** The files of one form, in a directory. */
interface FileForm {
  nameOf(peelId: string): string;
  /** Whether the peel's file is there, whole. @throws BulkError `ERR_BULK_DELIVERY` when something else is */
  has(path: string, peelId: string): Promise<boolean>;
  ageRecipients?: readonly string[];
}

/**
 * Writes `<id>.creds` into a directory: mode 0600, whole or not at all, synced. No other run writes there at the same time;
 * temporary files that an interrupted one left are removed first.
 *
 * @throws FileError when the directory cannot be used, or another run has it
 */
export function directoryDelivery(directory: string, options: DirectoryOptions = {}): Promise<Delivery> {
  return filesDelivery(directory, options, { nameOf: credsFileName, has: hasCredentials });
}

/** As {@link directoryDelivery}, for files of a form. */
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
      let broken: FileError | undefined;
      const product = { kind: 'files' as const, directory, replace, ...(ageRecipients && { ageRecipients }) };
      // after an error no more ids are taken, and what other threads have written by then is still told
      const wanted = until(ids, () => broken !== undefined);
      for await (const { peelIds, result } of issue<'files'>(wanted, product)) {
        const { outcomes, error } = result;
        await events.delivered(peelIds.filter((_id, i) => outcomes[i] === 'written'));
        for (const [i, peelId] of peelIds.entries())
          if (outcomes[i] === 'there') events.failed(peelId, thereAlready(pathOf(peelId)));
        broken ??= error;
      }
      if (broken !== undefined) throw broken;
    },
    finish: release,
    abort: release,
  };
}

async function* until<T>(source: AsyncIterable<T>, ended: () => boolean): AsyncGenerator<T, void, undefined> {
  for await (const value of source) {
    if (ended()) return;
    yield value;
  }
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
