// Creates and writes .creds files.
import { CredsError } from '../errors.js';
import { bag, checkOptions, flag, type Entries } from '../options/check-options.js';
import { pathOf } from '../files/path-of.js';
import { signedJustNow } from '../jwt/verified.js';
import { KeyBundle } from '../nkeys/key-bundle.js';
import { writeSecretFile, type WriteSecretFileOptions } from '../files/write-secret-file.js';
import { formatCreds } from './format.js';
import { decodeCreds } from './decode-creds.js';

/**
 * Makes the content of a `.creds` file from a user JWT and its seed, and checks that the two belong together.
 *
 * @param jwt the user JWT
 * @param seed the seed's text (`SU…`) as bytes or a string
 * @returns the file's bytes: they hold the seed, so they are the caller's to keep safe and to wipe
 * @throws CredsError
 * @example
 * import { generateCredsFile, generateFullHierarchy, parseCredsData } from 'zester';
 *
 * const { user, userJwt } = generateFullHierarchy('example.com', 'fleet', 'alice');
 * const content = generateCredsFile(userJwt, user.seed);
 * console.log(parseCredsData(content, 'the new credentials').claims.name); // alice
 * content.fill(0);
 */
export function generateCredsFile(jwt: string, seed: Uint8Array | string): Uint8Array {
  const name = 'the new credentials';
  if (typeof jwt !== 'string')
    throw new CredsError('ERR_CREDS_INPUT', name, `a JWT is a string, this is ${typeof jwt}`);
  if (typeof seed !== 'string' && !(seed instanceof Uint8Array)) {
    throw new CredsError('ERR_CREDS_INPUT', name, `a seed is bytes or a string, this is ${typeof seed}`);
  }
  const text = jwt.trim();
  if (isOwnPair(text, seed)) return formatCreds(text, seed);
  const content = formatCreds(text, trimmed(seed));
  const made = decodeCreds(content, name);
  made.wipe();
  if (made.jwt !== text) {
    throw new CredsError('ERR_CREDS_JWT_FORMAT', name, 'the JWT and the seed are swapped');
  }
  return content;
}

/**
 * Whether this process signed the JWT a moment ago for the key that the seed was copied from: then they belong together, and
 * nothing is to be verified. Both are known by all their bytes.
 */
function isOwnPair(jwt: string, seed: Uint8Array | string): seed is Uint8Array {
  if (typeof seed === 'string') return false;
  const subject = signedJustNow(jwt)?.subject;
  return subject !== undefined && KeyBundle.publicKeyOfOwnSeed(seed) === subject;
}

const WRITE = bag({ sweep: flag, ifAbsent: flag } satisfies Entries<WriteSecretFileOptions>);
const writeOptionsError = (path: string) => (message: string) =>
  new CredsError('ERR_CREDS_INPUT', path, message);

/**
 * Writes a `.creds` file with mode 0600: at every instant the path holds the whole old file or the whole new one, and no
 * other user can read either. See `writeSecretFile` for how.
 *
 * @param given its path, or its `file:` URL
 * @throws CredsError when JWT and seed do not belong together; FileError when the file cannot be written
 * @example
 * import { generateFullHierarchy, writeCredsFile } from 'zester';
 *
 * const { user, userJwt } = generateFullHierarchy('example.com', 'fleet', 'alice');
 * await writeCredsFile('alice.creds', userJwt, user.seed, { ifAbsent: true });
 * user.wipe();
 */
export async function writeCredsFile(
  given: string | URL,
  jwt: string,
  seed: Uint8Array | string,
  options: WriteSecretFileOptions = {},
): Promise<void> {
  const path = pathOf(given);
  checkOptions('writeCredsFile', options, WRITE, writeOptionsError(path));
  const content = generateCredsFile(jwt, seed);
  try {
    await writeSecretFile(path, content, options);
  } finally {
    content.fill(0);
  }
}

function trimmed(seed: Uint8Array | string): Uint8Array {
  const text = typeof seed === 'string' ? seed : Buffer.from(seed).toString('latin1');
  return Uint8Array.from(text.trim(), (character) => character.charCodeAt(0));
}
