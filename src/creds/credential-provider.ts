// CredentialProvider: a source of credentials other than a file, and its time limits.
import { inspect } from 'node:util';
import { orAborted } from '../async/or-aborted.js';
import { CredsError, redactSeeds, ZesterError } from '../errors.js';
import { errorMessage } from '../text/error-message.js';
import { CREDENTIAL_PROVIDER_TIMEOUT_MS } from '../timing.js';
import { CredsFile } from './creds-file.js';
import { decodeCreds } from './decode-creds.js';
import { generateCredsFile } from './generate.js';

/** What a provider returns: parsed credentials, or the content of a `.creds` file. */
export type ProvidedCredentials = CredsFile | Uint8Array | string;

/**
 * Provides the credentials of a connection, and may replace them at any time: from a secrets manager, an environment
 * variable, memory. A call times out after 10 seconds: `signal` is aborted, and a later result is ignored. If the first
 * `load` fails, so does the connect. If a later one throws or times out, the connection keeps its credentials, emits
 * an event `credentialsRejected` with the reason, and calls `load` again later.
 *
 * @example
 * import { readFile, writeFile } from 'node:fs/promises';
 * import { connectPeel, type CredentialProvider } from 'zester';
 *
 * // the file stands in for a secrets manager
 * const credentials: CredentialProvider = {
 *   name: 'vault:secret/web-01',
 *   load: ({ signal }) => readFile('web-01.creds', { signal }),
 *   store: (content, { signal }) => writeFile('web-01.creds', content, { mode: 0o600, signal }),
 *   refreshMs: 60_000,
 * };
 * const nc = await connectPeel({ servers: process.env.NATS_URL, peelId: 'web-01', credentials });
 * await nc.drain(); // when the program ends
 */
export interface CredentialProvider {
  /** Its name in events and errors. It is logged, so it must not contain a secret. */
  readonly name?: string | undefined;
  /**
   * Returns the current credentials. Called before the first connect, every `refreshMs`, when `watch` reports a
   * change, and after a reconnect. At most one call is in progress.
   */
  readonly load: (options: { signal: AbortSignal }) => ProvidedCredentials | Promise<ProvidedCredentials>;
  /**
   * Stores credentials in place of those that `load` returned. `startPeel` needs it: a renewed credential that is not
   * stored is lost at the next start. `content` is a `.creds` file; it is overwritten with zeros once the promise
   * settles.
   */
  readonly store?:
    | ((content: Uint8Array, options: { signal: AbortSignal }) => void | Promise<void>)
    | undefined;
  /** Calls `changed` when `load` would return new credentials. Returns a function that stops watching. */
  readonly watch?: ((changed: () => void) => () => void) | undefined;
  /** The interval between calls of `load`, in milliseconds: 30,000 by default, at least 1,000, `Infinity` for none. */
  readonly refreshMs?: number | undefined;
}

/** The name of a provider in errors. */
export function providerName({ name }: CredentialProvider): string {
  return name === undefined || name === '' ? 'the credential provider' : redactSeeds(name);
}

/**
 * Loads credentials, with a timeout.
 *
 * @throws CredsError `ERR_CREDS_PROVIDER` when the provider throws or times out, and the codes of `parseCredsData`; an
 *   error of this library that the provider throws
 */
export async function loadFromProvider(provider: CredentialProvider): Promise<CredsFile> {
  const name = providerName(provider);
  const given: unknown = await limited(name, 'load', (signal) => provider.load({ signal }));
  if (given instanceof CredsFile) return given;
  return decodeCreds(given as Uint8Array | string, name);
}

/**
 * Stores credentials with a provider, with a timeout.
 *
 * @throws CredsError `ERR_CREDS_PROVIDER`; an error of this library that the provider throws
 */
export async function storeInProvider(provider: CredentialProvider, creds: CredsFile): Promise<void> {
  const { store } = provider;
  const name = providerName(provider);
  if (store === undefined) throw noStoreError(name);
  const { seed } = creds;
  const content = generateCredsFile(creds.jwt, seed);
  seed.fill(0);
  await limited(name, 'store', async (signal) => {
    try {
      await store.call(provider, content, { signal });
    } finally {
      // only now: a store that timed out may still read it
      content.fill(0);
    }
  });
}

/** The error for a credential that must be stored, but cannot be. */
export function noStoreError(name: string): CredsError {
  return new CredsError(
    'ERR_CREDS_NO_STORE',
    name,
    `${name} cannot store a renewed credential, so it would be lost at the next start: give the path of a .creds file, or a ` +
      'provider with "store"; or set renew: false, if something else replaces the credential in time',
  );
}

async function limited<T>(
  name: string,
  what: 'load' | 'store',
  call: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const seconds = CREDENTIAL_PROVIDER_TIMEOUT_MS / 1000;
  const timer = setTimeout(
    () => late.abort(new Error(`it took longer than ${seconds} s`)),
    CREDENTIAL_PROVIDER_TIMEOUT_MS,
  );
  try {
    return await orAborted((async () => call(late.signal))(), late.signal);
  } catch (error) {
    if (error instanceof ZesterError) throw error;
    const words = `${name}: ${what}() failed: ${errorMessage(error)}`;
    throw new CredsError('ERR_CREDS_PROVIDER', name, words, isSafe(error) ? { cause: error } : undefined);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a foreign error contains no seed: a secrets manager's response may be attached to it. */
function isSafe(error: unknown): boolean {
  try {
    const limits = { depth: 8, showHidden: true, maxStringLength: Infinity, maxArrayLength: 100 };
    // URLs in a stack trace may contain an @, but no password
    const shown = inspect(error, limits).replaceAll('file://', '');
    return redactSeeds(shown) === shown && !SEED_BYTES.test(shown);
  } catch {
    return false;
  }
}

/**
 * The ASCII codes of a seed's first characters, as `inspect` shows bytes: decimal of a Uint8Array, hexadecimal of a
 * Buffer.
 */
const SEED_BYTES = /\b83,\s+(65|79|85|88),\s+(\d\d,\s+){40}|\b53 (41|4f|55|58) ([3-5][0-9a-f] ){30}/;
