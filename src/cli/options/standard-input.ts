// Reads standard input, up to a size limit.
import { stdin } from 'node:process';

/** More than any file that a command reads. */
const MAX_BYTES = 4 * 1024 * 1024;

/** All of standard input; of one that does not end, no more than tells that it is too large. */
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
