// Opens the peel list of a bulk command.
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { rowFormatOf, type RowFormat } from '../../provision/rows.js';
import { UsageError } from '../../errors.js';
import { openToRead } from '../../files/open-file.js';
import { readError } from '../../files/read-error.js';

/** The open peel list of a command. */
export interface BulkInput {
  format: RowFormat;
  chunks: AsyncIterable<Uint8Array>;
  /** The fraction read, from 0 to 1; undefined if the length is unknown. */
  share(): number | undefined;
  /** Stops reading: ends the chunks. */
  stop(): void;
}

/**
 * Opens the list of `--from`.
 *
 * @param from a file, or `-` for standard input; a pipe only if the shell opened it (`/dev/stdin`, `<(…)`)
 * @param format of `--format`; otherwise by the file name, and one ID per line for standard input
 * @throws UsageError for an unknown file name extension; FileError
 */
export async function openInput(from: string, format: RowFormat | undefined): Promise<BulkInput> {
  const known = format ?? (from === '-' ? 'txt' : rowFormatOf(from));
  if (known === undefined) {
    throw new UsageError(`the name of ${from} does not tell its format: pass --format txt, csv or ndjson`);
  }
  if (from === '-') return inputOf(process.stdin, known, undefined, from);
  const { file, stats } = await openToRead(from, { pipe: true });
  if (stats.isFile()) return inputOf(file.createReadStream(), known, stats.size, from);
  // opened without blocking, it would end whenever the writer is slower than the reader
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
