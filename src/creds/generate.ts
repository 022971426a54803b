// Creates and writes .creds files.
import { CredsError } from '../errors.js';
import { anything, bag, checkOptions, flag, type Entries } from '../options/check-options.js';
import { pathOf } from '../files/path-of.js';
import { signedJustNow } from '../jwt/verified.js';
import { KeyBundle } from '../nkeys/key-bundle.js';
import { writeSecretFile, type WriteSecretFileOptions } from '../files/write-secret-file.js';
import { formatCreds } from './format.js';
import { decodeCreds } from './decode-creds.js';

/** A user JWT and its seed: the options of {@link generateCredsFile}. */
export interface JwtAndSeed {
  /** The user JWT. */
  jwt: string;
  /** The seed's text (`SU…`) as bytes or a string. */
  seed: Uint8Array | string;
}

/** The options of {@link writeCredsFile}. */
export interface WriteCreds extends JwtAndSeed, WriteSecretFileOptions {
  /** The file to write, as a path or a `file:` URL. */
  path: string | URL;
}

/**
 * Creates the content of a `.creds` file from a user JWT and its seed, and checks that they match.
 *
 * @param jwt the user JWT
 * @param seed the seed's text (`SU…`) as bytes or a string
 * @returns the file's bytes, with the seed: the caller must protect and wipe them
 * @throws CredsError
 * @example
 * import { generateCredsFile, generateFullHierarchy, parseCredsData } from 'zester';
 *
 * const { user, userJwt } = generateFullHierarchy('example.com', 'fleet', 'alice');
 * const content = generateCredsFile(userJwt, user.seed);
 * console.log(parseCredsData(content, 'the new credentials').claims.name); // alice
 * content.fill(0);
 */
export function generateCredsFile(jwt: string, seed: Uint8Array | string): Uint8Array;
/** The same, with an options object. */
export function generateCredsFile(credentials: JwtAndSeed): Uint8Array;
export function generateCredsFile(first: string | JwtAndSeed, second?: Uint8Array | string): Uint8Array {
  const name = 'the new credentials';
  const isNamed = typeof first === 'object' && first !== null;
  if (isNamed) checkOptions('generateCredsFile', first, JWT_AND_SEED, writeOptionsError(name));
  const { jwt, seed } = isNamed ? first : { jwt: first, seed: second };
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
 * Whether this process has just signed the JWT for the key that the seed was copied from. Then they match, and need no
 * verification. Compares all bytes of both.
 */
function isOwnPair(jwt: string, seed: Uint8Array | string): seed is Uint8Array {
  if (typeof seed === 'string') return false;
  const subject = signedJustNow(jwt)?.subject;
  return subject !== undefined && KeyBundle.publicKeyOfOwnSeed(seed) === subject;
}

const WRITE_ENTRIES = { sweep: flag, ifAbsent: flag } satisfies Entries<WriteSecretFileOptions>;
const PAIR = { jwt: anything, seed: anything } satisfies Entries<JwtAndSeed>;
const WRITE = bag(WRITE_ENTRIES);
const JWT_AND_SEED = bag(PAIR, { required: ['jwt', 'seed'] });
const WRITE_CREDS = bag({ ...WRITE_ENTRIES, ...PAIR, path: anything } satisfies Entries<WriteCreds>, {
  required: ['path', 'jwt', 'seed'],
});
const writeOptionsError = (path: string) => (message: string) =>
  new CredsError('ERR_CREDS_INPUT', path, message);

/**
 * Writes a `.creds` file with mode 0600: at any instant the path has the complete old file or the complete new one,
 * and no other user can read either. See `writeSecretFile` for how.
 *
 * @param path the file's path, or its `file:` URL
 * @throws CredsError when the JWT and the seed do not match; FileError when the file cannot be written
 * @example
 * import { generateFullHierarchy, writeCredsFile } from 'zester';
 *
 * const { user, userJwt } = generateFullHierarchy('example.com', 'fleet', 'alice');
 * await writeCredsFile('alice.creds', userJwt, user.seed, { ifAbsent: true });
 * user.wipe();
 */
export function writeCredsFile(
  path: string | URL,
  jwt: string,
  seed: Uint8Array | string,
  options?: WriteSecretFileOptions,
): Promise<void>;
/** The same, with an options object. */
export function writeCredsFile(credentials: WriteCreds): Promise<void>;
export async function writeCredsFile(
  first: string | URL | WriteCreds,
  second = '',
  third: Uint8Array | string = '',
  given: WriteSecretFileOptions = {},
): Promise<void> {
  const isNamed = typeof first === 'object' && first !== null && !(first instanceof URL);
  if (isNamed) checkOptions('writeCredsFile', first, WRITE_CREDS, writeOptionsError(''));
  const named = isNamed ? first : { ...given, path: first, jwt: second, seed: third };
  const path = pathOf(named.path);
  if (!isNamed) checkOptions('writeCredsFile', given, WRITE, writeOptionsError(path));
  const { ifAbsent, sweep } = named;
  const content = generateCredsFile(named.jwt, named.seed);
  try {
    await writeSecretFile(path, content, { ifAbsent, sweep });
  } finally {
    content.fill(0);
  }
}

function trimmed(seed: Uint8Array | string): Uint8Array {
  const text = typeof seed === 'string' ? seed : Buffer.from(seed).toString('latin1');
  return Uint8Array.from(text.trim(), (character) => character.charCodeAt(0));
}
