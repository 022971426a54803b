import { parentPort, workerData } from 'node:worker_threads';
import type { FileErrorCode } from '../../errors.js';
import { writeSecretFiles, type NewFile } from '../../files/write-secret-files.js';
import type { PackedFiles } from '../bulk/product.js';

/** A thread that writes files, one batch after the other: its program, and what is said to it. */
export interface WriterStart {
  directory: string;
  replace: boolean;
}

/** What became of a batch, and its bytes, wiped. Errors lose their class between threads, so they come as data. */
export interface WriterAnswer {
  outcomes: ('written' | 'there')[];
  error?: { code: FileErrorCode; path: string; message: string };
  bytes: Uint8Array;
}

/** Files that are packed, one by one; each is a view of the same bytes. */
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
  port.on('message', (files: PackedFiles) => {
    void writeSecretFiles(directory, unpacked(files), replace).then(({ outcomes, error }) => {
      const { bytes } = files;
      bytes.fill(0);
      const told = error && { code: error.code, path: error.path, message: error.message };
      const answer: WriterAnswer = { outcomes, ...(told && { error: told }), bytes };
      port.postMessage(answer, [bytes.buffer as ArrayBuffer]);
    });
  });
}
