// Worker threads that write files, with shared syncs.
import { FileError } from '../../errors.js';
import { FileSystemSync } from '../../files/file-system-sync.js';
import { syncDirectory } from '../../files/write-secret-file.js';
import { writeSecretFiles, type WrittenFiles } from '../../files/write-secret-files.js';
import { TaskThread } from '../task-thread.js';
import { threadProgram } from '../start-thread.js';
import type { PackedFiles } from '../product.js';
import { Coalescer } from '../../async/coalesce.js';
import {
  unpacked,
  type FilesReport,
  type WriterAnswer,
  type WriterStart,
  type WriterTask,
} from './file-writer.js';
import { SYNC_GATHER_MS } from '../../timing.js';

/** Batches written in this thread before others start: starting a thread costs more than writing a few files. */
const BATCHES_HERE = 3;
/** Threads if the file system is synced as a whole: they rarely wait. */
const THREADS_TOGETHER = 2;
/** Threads if each file is synced separately: they mostly wait for the disk. */
const THREADS_ALONE = 16;
/** Young generation of a thread, in MiB: a thread produces almost no garbage. */
const YOUNG_MIB = 2;

type Thread = TaskThread<WriterTask, WriterAnswer>;

/**
 * Writes files into a directory, in threads that start on demand. If possible, one sync of the file system makes the
 * files of several batches durable, and only then are they renamed; otherwise each file is synced separately.
 */
export class FileWriters {
  readonly #start: WriterStart;
  readonly #program = threadProgram(import.meta.url, 'provision/sinks/file-writers', 'file-writer');
  readonly #threads: Thread[] = [];
  readonly #fileSystem: FileSystemSync;
  readonly #synced: Coalescer<boolean>;
  readonly #directory: Coalescer<void>;
  #together = true;
  #batches = 0;

  constructor(directory: string, replace: boolean) {
    this.#start = { directory, replace };
    this.#fileSystem = new FileSystemSync(directory);
    this.#synced = new Coalescer(() => this.#fileSystem.run(), SYNC_GATHER_MS);
    this.#directory = new Coalescer(() => syncDirectory(directory));
  }

  /**
   * Writes a batch. Files reported as written are durable.
   *
   * @param recycle takes the wiped bytes back as soon as they are not needed
   */
  async write(files: PackedFiles, recycle: (bytes: Uint8Array) => void): Promise<WrittenFiles> {
    const { directory, replace } = this.#start;
    const batch = ++this.#batches;
    const program = this.#program;
    if (batch <= BATCHES_HERE || program === undefined) {
      const written = await writeSecretFiles(directory, unpacked(files), replace);
      files.bytes.fill(0);
      recycle(files.bytes);
      return written;
    }
    const place = this.#together;
    const thread = this.#thread(program, place ? THREADS_TOGETHER : THREADS_ALONE);
    const answer = await thread.ask({ batch, files, place }, [files.bytes.buffer as ArrayBuffer]);
    if (answer.bytes !== undefined) recycle(answer.bytes);
    if ('outcomes' in answer) return writtenOf(answer);
    const synced = await this.#synced.run();
    // no retry: failures are then reported per file
    if (!synced) this.#together = false;
    const settled = await thread.ask({ batch, settle: { synced } });
    await this.#directory.run();
    return writtenOf(settled as FilesReport & WriterAnswer);
  }

  /** Stops the threads. None may be busy. */
  async close(): Promise<void> {
    this.#fileSystem.close();
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  /** An idle thread, else a new one if allowed, else the least busy one. */
  #thread(program: URL, most: number): Thread {
    const least = this.#threads.reduce<Thread | undefined>(
      (found, thread) => (found === undefined || thread.pending < found.pending ? thread : found),
      undefined,
    );
    if (least !== undefined && (least.pending === 0 || this.#threads.length >= most)) return least;
    const thread: Thread = new TaskThread(program, {
      workerData: { writeFiles: this.#start },
      name: 'zester-write',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    this.#threads.push(thread);
    return thread;
  }
}

/** Turns error data back into an error. */
function writtenOf({ outcomes, error }: FilesReport): WrittenFiles {
  return { outcomes, ...(error && { error: new FileError(error.code, error.path, error.message) }) };
}
