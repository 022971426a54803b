// The program of a worker thread that writes files.
import { parentPort, workerData } from 'node:worker_threads';
import type { FileErrorCode } from '../../errors.js';
import {
  placeSecretFiles,
  settleSecretFiles,
  writeSecretFiles,
  type NewFile,
  type PlacedFiles,
  type WrittenFiles,
} from '../../files/write-secret-files.js';
import type { PackedFiles } from '../product.js';

/** The start data of a thread that writes files. */
export interface WriterStart {
  directory: string;
  replace: boolean;
}

/** Requests to the thread. Batches are numbered. */
export type WriterTask =
  /** Write files, durably. With `place`, only place them, and wait for the second task. */
  | { batch: number; files: PackedFiles; place: boolean }
  /** Rename placed files to their final names, after syncing each, unless the file system was synced. */
  | { batch: number; settle: { synced: boolean } };

/** Answers of the thread; the bytes come back wiped. */
export type WriterAnswer = { batch: number } & (
  | { placed: true; bytes: Uint8Array }
  | (FilesReport & { bytes?: Uint8Array })
);

/** The result of a batch. Errors lose their class between threads, so they are sent as data. */
export interface FilesReport {
  outcomes: WrittenFiles['outcomes'];
  error?: { code: FileErrorCode; path: string; message: string };
}

/** Yields packed files one by one; each is a view of the same bytes. */
export function* unpacked({ names, lengths, bytes }: PackedFiles): Generator<NewFile, void, undefined> {
  let at = 0;
  for (const [i, name] of names.entries()) {
    const length = lengths[i] ?? 0;
    yield { name, content: bytes.subarray(at, at + length) };
    at += length;
  }
}

if (parentPort !== null && (workerData as { writeFiles?: WriterStart } | null)?.writeFiles !== undefined) {
  const port = parentPort;
  const { directory, replace } = (workerData as { writeFiles: WriterStart }).writeFiles;
  const placed = new Map<number, PlacedFiles>();

  const answered = async (task: WriterTask): Promise<WriterAnswer> => {
    const { batch } = task;
    if ('settle' in task) {
      const files = placed.get(batch) as PlacedFiles;
      placed.delete(batch);
      return { batch, ...reportOf(await settleSecretFiles(files, task.settle.synced)) };
    }
    const { bytes } = task.files;
    try {
      if (task.place) {
        placed.set(batch, await placeSecretFiles(directory, unpacked(task.files), replace));
        return { batch, placed: true, bytes };
      }
      return { batch, ...reportOf(await writeSecretFiles(directory, unpacked(task.files), replace)), bytes };
    } finally {
      bytes.fill(0);
    }
  };
  port.on('message', (task: WriterTask) => {
    void answered(task).then((answer) => {
      const { bytes } = answer as { bytes?: Uint8Array };
      port.postMessage(answer, bytes === undefined ? [] : [bytes.buffer as ArrayBuffer]);
    });
  });
}

function reportOf({ outcomes, error }: WrittenFiles): FilesReport {
  const failure = error && { code: error.code, path: error.path, message: error.message };
  return { outcomes, ...(failure && { error: failure }) };
}
