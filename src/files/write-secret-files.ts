// Writes many secret files with few syncs.
import { closeSync, fchmodSync, fsyncSync, lstatSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { FileError } from '../errors.js';
import { ownerToKeep } from './replaceable.js';
import { reserveTemporary, releaseTemporary } from './temporaries.js';
import { cannotWrite, fillNewFile, syncDirectory } from './write-secret-file.js';

/** A file of {@link writeSecretFiles}. */
export interface NewFile {
  /** The file's name in the directory. */
  name: string;
  content: Uint8Array;
}

/** The result of {@link writeSecretFiles}. */
export interface WrittenFiles {
  /** The results of the processed files, in order. */
  outcomes: ('written' | 'there')[];
  /** The error that stopped it early, such as a full disk. The files before it are written. */
  error?: FileError;
}

/** Complete files with temporary names in their directory, perhaps not yet synced. */
export interface PlacedFiles {
  directory: string;
  /** In order; files that are not placed existed already. */
  files: { name: string; temporary: string | undefined }[];
  /** The error that stopped it early. The files before it are placed. */
  error?: FileError;
}

/**
 * Writes files into one directory, one after the other, each like `writeSecretFile`; the directory is synced once,
 * after the last. Every file reported as written is durable. Stops at the first failure.
 *
 * It blocks its thread: direct system calls cost a fraction of calls through libuv's thread pool. Call it in worker
 * threads, as many as files to sync concurrently.
 *
 * @param replace whether to replace existing files; otherwise they stay, and are reported
 */
export async function writeSecretFiles(
  directory: string,
  files: Iterable<NewFile>,
  replace: boolean,
): Promise<WrittenFiles> {
  const outcomes: WrittenFiles['outcomes'] = [];
  const strict = isStrictMask();
  for (const { name, content } of files) {
    const there = isTaken(directory, name, replace);
    if (!there) {
      try {
        settle(directory, name, place(directory, name, content, strict, true), true);
      } catch (cause) {
        await syncDirectory(directory);
        return { outcomes, error: await cannotWrite(join(directory, name), directory, cause) };
      }
    }
    outcomes.push(there ? 'there' : 'written');
  }
  await syncDirectory(directory);
  return { outcomes };
}

/**
 * The first half of {@link writeSecretFiles}: everything except syncing and naming. Pass placed files to {@link
 * settleSecretFiles}.
 */
export async function placeSecretFiles(
  directory: string,
  files: Iterable<NewFile>,
  replace: boolean,
): Promise<PlacedFiles> {
  const placed: PlacedFiles['files'] = [];
  const strict = isStrictMask();
  for (const { name, content } of files) {
    try {
      const there = isTaken(directory, name, replace);
      placed.push({ name, temporary: there ? undefined : place(directory, name, content, strict, false) });
    } catch (cause) {
      const error = await cannotWrite(join(directory, name), directory, cause);
      return { directory, files: placed, error };
    }
  }
  return { directory, files: placed };
}

/**
 * The second half: gives placed files their names. Sync the directory afterwards.
 *
 * @param synced whether the file system was synced since; if not, each file is synced here
 */
export async function settleSecretFiles(
  { directory, files, error }: PlacedFiles,
  synced: boolean,
): Promise<WrittenFiles> {
  const outcomes: WrittenFiles['outcomes'] = [];
  for (const [i, { name, temporary }] of files.entries()) {
    if (temporary !== undefined) {
      try {
        settle(directory, name, temporary, synced);
      } catch (cause) {
        for (const file of files.slice(i + 1))
          if (file.temporary !== undefined) discard(directory, file.temporary);
        return { outcomes, error: await cannotWrite(join(directory, name), directory, cause) };
      }
    }
    outcomes.push(temporary === undefined ? 'there' : 'written');
  }
  return { outcomes, ...(error && { error }) };
}

/** A umask that clears owner bits is rare; the file is ours and empty, so changing its mode is not a race. */
function isStrictMask(): boolean {
  return (process.umask() & 0o600) !== 0;
}

function isTaken(directory: string, name: string, replace: boolean): boolean {
  return !replace && lstatSync(join(directory, name), { throwIfNoEntry: false }) !== undefined;
}

/** Writes a file under a temporary name. @returns that name */
function place(
  directory: string,
  name: string,
  content: Uint8Array,
  strictMask: boolean,
  synced: boolean,
): string {
  const owner = ownerToKeep(join(directory, name));
  const temporary = reserveTemporary(name);
  try {
    const file = openSync(join(directory, temporary), 'wx', 0o600);
    try {
      if (strictMask) fchmodSync(file, 0o600);
      fillNewFile(file, content, owner);
      if (synced) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return temporary;
  } catch (cause) {
    discard(directory, temporary);
    throw cause;
  }
}

/** Gives a placed file its name; removes it if that fails. */
function settle(directory: string, name: string, temporary: string, synced: boolean): void {
  try {
    if (!synced) syncFile(join(directory, temporary));
    renameSync(join(directory, temporary), join(directory, name));
    releaseTemporary(temporary);
  } catch (cause) {
    discard(directory, temporary);
    throw cause;
  }
}

function syncFile(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function discard(directory: string, temporary: string): void {
  try {
    unlinkSync(join(directory, temporary));
  } catch {
    // it was not created, or the next run sweeps it
  } finally {
    releaseTemporary(temporary);
  }
}
