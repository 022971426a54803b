// Reads standard input, up to a size limit.
import { stdin } from 'node:process';

/** Larger than any file that a command reads. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Reads standard input completely, up to a size limit. */
export async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BYTES) break;
  }
  return Buffer.concat(chunks);
}
