import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { rowFormatOf, type RowFormat } from '../../creds/bulk/rows.js';
import { UsageError } from '../../errors.js';
import { readError } from '../../files/read-small-file.js';

/** The list of peels of a command, being read. */
export interface BulkInput {
  format: RowFormat;
  chunks: AsyncIterable<Uint8Array>;
  /** How much of it was read, from 0 to 1; undefined where its length is not known. */
  share(): number | undefined;
  /** Ends the reading: the chunks end. */
  stop(): void;
}

/**
 * Opens the list of `--from`.
 *
 * @param from a file, or `-` for standard input
 * @param format of `--format`; without it the file's name says which, and standard input has one id a line
 * @throws UsageError when the name stands for no format; FileError
 */
export async function openInput(from: string, format: RowFormat | undefined): Promise<BulkInput> {
  const known = format ?? (from === '-' ? 'txt' : rowFormatOf(from));
  if (known === undefined) {
    throw new UsageError(`the name of ${from} does not say what it holds: give --format txt, csv or ndjson`);
  }
  if (from === '-') return inputOf(process.stdin, known, undefined, from);
  const found = await stat(from).catch((cause: unknown) => {
    throw readError(from, cause);
  });
  return inputOf(createReadStream(from), known, found.isFile() ? found.size : undefined, from);
}

function inputOf(stream: Readable, format: RowFormat, size: number | undefined, from: string): BulkInput {
  let read = 0;
  let stopped = false;
  async function* chunks() {
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        read += chunk.length;
        yield chunk;
      }
    } catch (cause) {
      if (!stopped) throw readError(from, cause);
    }
  }
  return {
    format,
    chunks: chunks(),
    share: () => (size === undefined || size === 0 ? undefined : Math.min(1, read / size)),
    stop: () => {
      stopped = true;
      stream.destroy();
    },
  };
}
