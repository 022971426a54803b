// The journal of delivered peels, for --resume.
import { type FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { BulkError, FileError } from '../errors.js';
import { claim, type Claim } from '../files/claim.js';
import { openToAppend } from '../files/open-file.js';
import { readTextFile } from '../files/read-small-file.js';
import { SeenIds } from './seen-ids.js';
import { Coalescer } from '../async/coalesce.js';

/** More than three million IDs of maximum length. */
const MAX_JOURNAL_BYTES = 400 * 1024 * 1024;

/** The first line: it prevents appending to a file that is not a journal. */
const HEADER = '# zester: ids of the peels whose credentials were delivered';

/**
 * The IDs of delivered peels, one per line, for sinks that cannot list their contents. An ID is recorded once its
 * credential is durable there. After a crash right after a delivery, the ID may be missing; the peel then gets
 * another credential that replaces the first.
 */
export class Journal {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #done: SeenIds;
  readonly #claim: Claim;
  readonly #waiting: string[] = [];
  readonly #writing = new Coalescer(() => {
    const lines = this.#waiting.splice(0).map((id) => `${id}\n`);
    return this.#append(lines.join(''));
  });

  private constructor(file: FileHandle, path: string, done: SeenIds, claimed: Claim) {
    this.#file = file;
    this.#path = path;
    this.#done = done;
    this.#claim = claimed;
  }

  /**
   * Opens or creates a journal, and locks it against other runs.
   *
   * @param resume continue an existing journal; without it, an existing journal is refused
   * @throws FileError; BulkError `ERR_BULK_INPUT` when the file is not a journal
   */
  static async open(path: string, resume: boolean): Promise<Journal> {
    const claimed = await claim(dirname(path), basename(path));
    try {
      return await Journal.#openClaimed(path, resume, claimed);
    } catch (error) {
      await claimed.release();
      throw error;
    }
  }

  static async #openClaimed(path: string, resume: boolean, claimed: Claim): Promise<Journal> {
    const done = new SeenIds();
    const text = await readTextFile(path, MAX_JOURNAL_BYTES);
    const isNew = text === undefined || text === '';
    if (!isNew && !resume) {
      throw new FileError(
        'ERR_FILE_EXISTS',
        path,
        `the journal ${path} already exists: pass --resume to continue it; for a new run, choose another file or remove it`,
      );
    }
    const lines = (text ?? '').split('\n');
    const torn = lines.pop() ?? ''; // after the last newline: nothing, or a line that a crash truncated
    if (!isNew && lines[0] !== HEADER) {
      throw new BulkError('ERR_BULK_INPUT', `${path} is not a journal of zester: choose another --journal`);
    }
    for (const id of lines.slice(1)) done.add(id);
    let file: FileHandle | undefined;
    try {
      file = await openToAppend(path);
      const journal = new Journal(file, path, done, claimed);
      if (isNew) await journal.#append(`${HEADER}\n`);
      // a truncated ID may look like another ID: remove it
      else if (torn !== '') await file.truncate(Buffer.byteLength(text ?? '') - Buffer.byteLength(torn));
      return journal;
    } catch (cause) {
      await file?.close();
      throw writeError(path, cause);
    }
  }

  /** Whether the peel's credential was delivered in an earlier run. */
  has(peelId: string): boolean {
    return this.#done.has(peelId);
  }

  /**
   * Records IDs. Resolves when they are durable. IDs that arrive during a sync share the next one.
   *
   * @throws FileError
   */
  note(peelIds: readonly string[]): Promise<void> {
    this.#waiting.push(...peelIds);
    return this.#writing.run();
  }

  async close(): Promise<void> {
    await this.#writing.idle();
    await this.#file.close();
    await this.#claim.release();
  }

  async #append(text: string): Promise<void> {
    try {
      await this.#file.appendFile(text);
      await this.#file.sync();
    } catch (cause) {
      throw writeError(this.#path, cause);
    }
  }
}

function writeError(path: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  const { code } = cause as NodeJS.ErrnoException;
  const why = code === 'ENOSPC' ? 'the disk is full' : `${code}`;
  return new FileError('ERR_FILE_WRITE', path, `cannot write the journal ${path}: ${why}`, { cause });
}
