import type { Worker } from 'node:worker_threads';
import { FileError } from '../../errors.js';
import { writeSecretFiles, type WrittenFiles } from '../../files/write-secret-files.js';
import type { PackedFiles } from '../bulk/product.js';
import { startThread } from '../bulk/start-thread.js';
import { unpacked, type WriterAnswer, type WriterStart } from './file-writer.js';

/** Batches that are written in this thread, before others are started: they cost more to start than a few files. */
const BATCHES_HERE = 3;
/** Young garbage of a thread, in MiB: it makes next to none. */
const YOUNG_MIB = 2;

/** What became of a batch, and its bytes, wiped. */
export interface WrittenBatch extends WrittenFiles {
  bytes: Uint8Array;
}

/**
 * Threads that write files into a directory. They wait for the disk, most of the time: as many as there are have files to
 * sync at once. They are started when they are needed.
 */
export class FileWriters {
  readonly #start: WriterStart;
  readonly #threads: Worker[] = [];
  readonly #idle: Worker[] = [];
  #batches = 0;

  constructor(directory: string, replace: boolean) {
    this.#start = { directory, replace };
  }

  /** Writes a batch. At most as many as there may be threads are to be under way. */
  async write(files: PackedFiles): Promise<WrittenBatch> {
    const { directory, replace } = this.#start;
    this.#batches += 1;
    if (this.#batches <= BATCHES_HERE) {
      const written = await writeSecretFiles(directory, unpacked(files), replace);
      files.bytes.fill(0);
      return { ...written, bytes: files.bytes };
    }
    const thread = this.#idle.pop() ?? this.#another();
    const { outcomes, error, bytes } = await ask(thread, files);
    this.#idle.push(thread);
    return { outcomes, bytes, ...(error && { error: new FileError(error.code, error.path, error.message) }) };
  }

  /** Ends the threads. None may be at work. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #another(): Worker {
    const thread = startThread(new URL('./file-writer.js', import.meta.url), {
      workerData: { writeFiles: this.#start },
      name: 'zester-write',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    this.#threads.push(thread);
    return thread;
  }
}

function ask(thread: Worker, files: PackedFiles): Promise<WriterAnswer> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    const onMessage = (answer: WriterAnswer) => {
      stop();
      resolve(answer);
    };
    const onError = (error: unknown) => {
      stop();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const onExit = (code: number) => onError(new Error(`a thread that writes files ended (${code})`));
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
    thread.postMessage(files, [files.bytes.buffer as ArrayBuffer]);
  });
}
