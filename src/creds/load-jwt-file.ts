// Reads a JWT from a plain or decorated file.
import { JwtError } from '../errors.js';
import { pathOf } from '../files/path-of.js';
import { readSmallFile } from '../files/read-small-file.js';
import { looksLike, withoutByteOrderMark } from './looks-like.js';

/** An account JWT with many revocations is large; a server accepts at most its `max_payload`, 1 MB by default. */
const MAX_JWT_FILE_BYTES = 2 * 1024 * 1024;

/**
 * Reads the JWT from a file that contains it plainly, or in a section `-----BEGIN … JWT-----`, as nsc writes it. Does
 * not decode it.
 *
 * @param given the file's path, or its `file:` URL
 * @throws JwtError `ERR_JWT_FORMAT` when the file contains no JWT or more than one; FileError
 * @example
 * import { decodeAccountJwt, loadJwtFile } from 'zester';
 *
 * const accountJwt = await loadJwtFile('account.jwt');
 * console.log(decodeAccountJwt(accountJwt).sub); // A…
 */
export async function loadJwtFile(given: string | URL): Promise<string> {
  const path = pathOf(given);
  const content = await readSmallFile(path, MAX_JWT_FILE_BYTES);
  if (content.length > MAX_JWT_FILE_BYTES) {
    throw new JwtError('ERR_JWT_FORMAT', `${path} is too large to be a file with a JWT`);
  }
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const text = withoutByteOrderMark(bytes.toString('latin1'));
  const tokens = text
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(line));
  const [token] = tokens;
  if (token === undefined || tokens.length > 1) {
    const look = token === undefined ? looksLike(text) : undefined;
    const found =
      token !== undefined ? 'more than one JWT' : `no JWT${look === undefined ? '' : ` (${look})`}`;
    throw new JwtError('ERR_JWT_FORMAT', `${path} holds ${found}: give a file with one`);
  }
  return token;
}
