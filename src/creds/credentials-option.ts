// The option `credentials`: exactly one credential, of one of several kinds.
import { fileURLToPath } from 'node:url';
import { ConnectError, holdsSeed, type ZesterError } from '../errors.js';
import type { CredentialProvider } from './credential-provider.js';
import { CredsFile } from './creds-file.js';

/** A seed alone, for servers that list public keys and do not use JWTs. */
export interface SeedCredentials {
  /** A user's seed (`SU…`), as bytes or a string. */
  seed: Uint8Array | string;
}

/** Credentials with a JWT, which identifies their user: all kinds except a seed alone. */
export type UserCredentials = string | URL | CredsFile | CredentialProvider;

/**
 * The credentials of a connection, exactly one of:
 *
 * - the path of a `.creds` file, or its `file:` URL: the file is read again at each connect, and watched;
 * - parsed credentials: from `loadCredsFile`, their file is watched in the same way; from `parseCredsData`, they never
 *   change;
 * - `{ seed }`, for servers without JWTs: it never changes;
 * - a {@link CredentialProvider}, which may replace them at any time.
 */
export type Credentials = UserCredentials | SeedCredentials;

/** Exactly one credential: the option `credentials`, or `credsPath` for a path. */
export type CredentialsOption<Kind = Credentials> =
  | {
      /** The credentials to authenticate with. */
      credentials: Kind;
      credsPath?: undefined;
    }
  | {
      /** The path of a `.creds` file: same as `credentials`. */
      credsPath: string | URL;
      credentials?: undefined;
    };

/** Credentials, by kind. */
export type GivenCredentials =
  | { kind: 'file'; path: string; loaded?: CredsFile }
  | { kind: 'bytes'; creds: CredsFile }
  | { kind: 'seed'; seed: Uint8Array | string }
  | { kind: 'provider'; provider: CredentialProvider };

/** Credentials with a JWT, by kind. */
export type GivenUserCredentials = Exclude<GivenCredentials, { kind: 'seed' }>;

/**
 * Like {@link givenCredentials}, if the user must be known: a seed alone is refused.
 *
 * @throws as {@link givenCredentials}
 */
export function givenUserCredentials(
  options: { credentials?: unknown; credsPath?: unknown },
  rules: CredentialsRules = {},
): GivenUserCredentials {
  const given = givenCredentials(options, rules);
  if (given.kind !== 'seed') return given;
  const { names = NAMES, error = connectOptionsError } = rules;
  throw error(`${names[0]} is only a seed, but a JWT is required too: give a .creds file, or a provider`);
}

/** The names of the two options, and the error to throw. */
interface CredentialsRules {
  names?: readonly [string, string];
  error?: (message: string) => ZesterError;
}

const NAMES = ['credentials', 'credsPath'] as const;

/**
 * Determines the kind of credentials. Errors never repeat their content.
 *
 * @param names the names of the two options
 * @throws the error that `error` returns; ConnectError `ERR_CONNECT_OPTIONS` by default
 */
export function givenCredentials(
  options: { credentials?: unknown; credsPath?: unknown },
  { names = NAMES, error = connectOptionsError }: CredentialsRules = {},
): GivenCredentials {
  const [name, pathName] = names;
  const { credentials, credsPath } = options;
  if (credentials !== undefined && credsPath !== undefined) {
    throw error(`give ${name} or ${pathName}, not both: ${pathName} is an older option for a file path`);
  }
  if (credentials === undefined && credsPath === undefined) {
    throw error(`give ${name}: ${KINDS}. "await defaultCredentials()" looks in the usual places`);
  }
  if (credsPath !== undefined && typeof credsPath !== 'string' && !(credsPath instanceof URL)) {
    throw error(`${pathName}: give the path of a .creds file`);
  }
  return classify(
    credentials === undefined ? credsPath : credentials,
    credsPath === undefined ? name : pathName,
    error,
  );
}

const KINDS = 'the path of a .creds file, parsed credentials, { seed }, or a credential provider';

function classify(given: unknown, name: string, error: (message: string) => ZesterError): GivenCredentials {
  if (typeof given === 'string' || given instanceof URL)
    return { kind: 'file', path: pathOf(given, name, error) };
  if (given instanceof CredsFile) {
    return given.source === 'file'
      ? { kind: 'file', path: given.path, loaded: given }
      : { kind: 'bytes', creds: given };
  }
  if (typeof given !== 'object' || given === null)
    throw error(`${name} is ${given === null ? 'null' : `a ${typeof given}`}: give ${KINDS}`);
  if ('load' in given) return { kind: 'provider', provider: provider(given, name, error) };
  const others = Object.keys(given).filter((key) => key !== 'seed');
  if (!('seed' in given) || others.length > 0) {
    // a CredsFile of another copy of this package must not be treated as a seed alone
    const why = 'jwt' in given ? 'from another copy of this package' : 'an object that is not a credential';
    throw error(`${name} is ${why}: give ${KINDS}`);
  }
  const { seed } = given;
  if (typeof seed !== 'string' && !(seed instanceof Uint8Array)) {
    throw error(`${name}.seed is a ${typeof seed}: give the seed's text, or its bytes`);
  }
  return { kind: 'seed', seed };
}

function pathOf(given: string | URL, name: string, error: (message: string) => ZesterError): string {
  if (given instanceof URL) {
    if (given.protocol !== 'file:')
      throw error(`${name} is a ${given.protocol} URL: give a file: URL, or a path`);
    return fileURLToPath(given);
  }
  if (given.trim() === '') throw error(`${name} is empty: give the path of a .creds file`);
  if (/[\r\n]|-----/.test(given)) {
    throw error(
      `${name} is the content of a .creds file, not its path: give it as parseCredsData(content, name)`,
    );
  }
  if (holdsSeed(given)) throw error(`${name} is a seed, not a path: give { seed }`);
  return given;
}

function provider(given: object, name: string, error: (message: string) => ZesterError): CredentialProvider {
  const found = given as Record<keyof CredentialProvider, unknown>;
  for (const method of ['load', 'store', 'watch'] as const) {
    if (found[method] !== undefined && typeof found[method] !== 'function') {
      throw error(`${name}.${method} is a ${typeof found[method]}: give a function`);
    }
  }
  const { refreshMs } = found;
  if (refreshMs !== undefined && !(typeof refreshMs === 'number' && refreshMs >= MIN_REFRESH_MS)) {
    throw error(`${name}.refreshMs: give milliseconds, at least ${MIN_REFRESH_MS}; Infinity for none`);
  }
  if (found.name !== undefined && typeof found.name !== 'string') {
    throw error(`${name}.name is a ${typeof found.name}: give a string`);
  }
  return given as CredentialProvider;
}

/** The minimum interval between calls of a provider. */
const MIN_REFRESH_MS = 1_000;

/** The error for connection options. */
export function connectOptionsError(message: string): ConnectError {
  return new ConnectError('ERR_CONNECT_OPTIONS', message);
}
