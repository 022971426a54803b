// Builds credentials from a JWT and its seed, in memory.
import type { CredsFile } from '../creds/creds-file.js';
import { generateCredsFile } from '../creds/generate.js';

/**
 * Builds credentials exactly as loading them from their source would.
 *
 * @param seed is wiped
 * @param decode parses the content of a `.creds` file, which is wiped afterwards
 */
export function credsOfJwt(
  jwt: string,
  seed: Uint8Array,
  decode: (content: Uint8Array) => CredsFile,
): CredsFile {
  let content: Uint8Array | undefined;
  try {
    content = generateCredsFile(jwt, seed);
    return decode(content);
  } finally {
    content?.fill(0);
    seed.fill(0);
  }
}
