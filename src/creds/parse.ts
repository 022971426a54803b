// Parses credentials from bytes or a file.
import { CredsError } from '../errors.js';
import { pathOf } from '../files/path-of.js';
import { readSmallFile } from '../files/read-small-file.js';
import type { CredsFile } from './creds-file.js';
import { decodeCreds, MAX_CREDS_BYTES } from './decode-creds.js';
import { decodeCredsOfFile } from './file-credential-source.js';

/** The options of {@link parseCredsData}. */
export interface NamedCredsData {
  /** The file's content. */
  data: Uint8Array | string;
  /** Its name in errors, and the `path` of the result. */
  name: string;
}

/** Checked by hand: a program that only loads credentials should not load the options checker. */
function isNamed(first: unknown): first is NamedCredsData {
  return typeof first === 'object' && first !== null && 'data' in first && 'name' in first;
}

/**
 * Parses the bytes of a `.creds` file and checks them: one user JWT, one user seed, a valid signature, and that the
 * JWT's subject is the seed's public key. It does *not* check expiry, nor whether the issuer is trusted.
 *
 * @param data the file's content
 * @param name its name in errors, and the `path` of the result
 * @throws CredsError
 * @example
 * import { readFile } from 'node:fs/promises';
 * import { parseCredsData } from 'zester';
 *
 * const content = await readFile('web-01.creds');
 * const creds = parseCredsData(content, 'the secret web-01');
 * content.fill(0);
 * console.log(creds.claims.name, creds.publicKey); // web-01 U…
 * creds.wipe();
 */
export function parseCredsData(data: Uint8Array | string, name: string): CredsFile;
/** The same, with an options object. */
export function parseCredsData(named: NamedCredsData): CredsFile;
export function parseCredsData(first: Uint8Array | string | NamedCredsData, second?: string): CredsFile {
  const { data, name } = isNamed(first) ? first : { data: first, name: second };
  if (typeof name !== 'string') {
    // not repeated: the credentials may have been passed as the name by mistake
    throw new CredsError(
      'ERR_CREDS_INPUT',
      '',
      `the name of credentials is a string, this is ${typeof name}`,
    );
  }
  return decodeCreds(data, name);
}

/**
 * Loads a `.creds` file and checks it like {@link parseCredsData}.
 *
 * @param given the file's path, or its `file:` URL
 * @throws CredsError; FileError when it cannot be read
 * @example
 * import { loadCredsFile } from 'zester';
 *
 * const creds = await loadCredsFile('web-01.creds');
 * console.log(creds.claims.name, creds.publicKey); // web-01 U…
 * creds.wipe(); // or, with TypeScript: using creds = await loadCredsFile('web-01.creds')
 */
export async function loadCredsFile(given: string | URL): Promise<CredsFile> {
  const path = pathOf(given);
  if (typeof path !== 'string' || path === '') {
    throw new CredsError('ERR_CREDS_INPUT', '', 'the path of a .creds file must be a non-empty string');
  }
  const content = await readSmallFile(path, MAX_CREDS_BYTES);
  try {
    return decodeCredsOfFile(content, path);
  } finally {
    content.fill(0);
  }
}
