import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { FileError } from '../errors.js';
import { beingWritten, noLongerWritten } from './temporaries.js';
import { cannotWrite, syncDirectory } from './write-secret-file.js';

/** A file of {@link writeSecretFiles}. */
export interface NewFile {
  /** Its name in the directory. */
  name: string;
  content: Uint8Array;
}

/** What came of {@link writeSecretFiles}. */
export interface WrittenFiles {
  /** Of the files that were come to, in their order. */
  outcomes: ('written' | 'there')[];
  /** What stopped it before the end, such as a full disk. The files before are written. */
  error?: FileError;
}

/**
 * Writes files into one directory, each as `writeSecretFile` does, one after the other; the directory is synced once, after
 * the last. All that it says was written is durable. It stops at the first that cannot be written.
 *
 * It blocks its thread: each call of the system is made directly, which costs a fraction of one that goes by way of
 * libuv's threads. Call it in threads of their own, as many as the disk should have files to sync at once.
 *
 * @param replace whether a file that is there is replaced; without it, it stays, and is told
 */
export async function writeSecretFiles(
  directory: string,
  files: Iterable<NewFile>,
  replace: boolean,
): Promise<WrittenFiles> {
  const outcomes: WrittenFiles['outcomes'] = [];
  // a umask that takes bits from the owner is rare; the file is ours and empty, so changing its mode opens no window
  const strictMask = (process.umask() & 0o600) !== 0;
  for (const { name, content } of files) {
    const path = join(directory, name);
    const there = !replace && lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    if (!there) {
      try {
        writeOne(directory, path, name, content, strictMask);
      } catch (cause) {
        await syncDirectory(directory);
        return { outcomes, error: await cannotWrite(path, directory, cause) };
      }
    }
    outcomes.push(there ? 'there' : 'written');
  }
  await syncDirectory(directory);
  return { outcomes };
}

function writeOne(
  directory: string,
  path: string,
  name: string,
  content: Uint8Array,
  strictMask: boolean,
): void {
  const temporaryName = beingWritten(name);
  const temporary = join(directory, temporaryName);
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      if (strictMask) fchmodSync(file, 0o600);
      for (let at = 0; at < content.length;) at += writeSync(file, content, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    try {
      unlinkSync(temporary);
    } catch {
      // it was not made, or the next run sweeps it
    }
    throw cause;
  } finally {
    noLongerWritten(temporaryName);
  }
}
