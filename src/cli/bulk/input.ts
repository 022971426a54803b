// Opens the list of peels that a bulk command reads.
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { rowFormatOf, type RowFormat } from '../../provision/rows.js';
import { UsageError } from '../../errors.js';
import { openToRead } from '../../files/open-file.js';
import { readError } from '../../files/read-error.js';

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
 * @param from a file, or `-` for standard input; a pipe only where the shell opened it (`/dev/stdin`, `<(…)`)
 * @param format of `--format`; without it the file's name says which, and standard input has one id a line
 * @throws UsageError when the name stands for no format; FileError
 */
export async function openInput(from: string, format: RowFormat | undefined): Promise<BulkInput> {
  const known = format ?? (from === '-' ? 'txt' : rowFormatOf(from));
  if (known === undefined) {
    throw new UsageError(`the format of ${from} is unclear from its name: give --format txt, csv or ndjson`);
  }
  if (from === '-') return inputOf(process.stdin, known, undefined, from);
  const { file, stats } = await openToRead(from, { pipe: true });
  if (stats.isFile()) return inputOf(file.createReadStream(), known, stats.size, from);
  // opened so that it does not wait, it would end where the writer is slower than the reader
  await file.close();
  return inputOf(createReadStream(from), known, undefined, from);
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
