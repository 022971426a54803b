// The credentials that a connection authenticates with.
import type { Authenticator } from '@nats-io/transport-node';
import type { CredentialEvent } from '../creds/credential-event.js';
import {
  checkUsable,
  type CredentialHolderOptions,
  type CredentialSource,
} from '../creds/credential-holder.js';
import { loadFromProvider, providerName, storeInProvider } from '../creds/credential-provider.js';
import type { GivenCredentials, GivenUserCredentials } from '../creds/credentials-option.js';
import type { CredsFile } from '../creds/creds-file.js';
import { decodeCreds } from '../creds/decode-creds.js';
import { decodeCredsOfFile, FileCredentialSource } from '../creds/file-credential-source.js';
import { writeCredsFile } from '../creds/generate.js';
import { loadCredsFile } from '../creds/parse.js';
import { ProviderCredentialSource } from '../creds/provider-credential-source.js';
import { natsOptionFromSeed } from './seed-option.js';

/** The credentials of one connection. */
export interface OpenCredentials {
  readonly authenticator: Authenticator;
  /** The initial credentials; undefined: a seed alone. */
  readonly initial: CredsFile | undefined;
  /** The source to reload them from; undefined: they never change. */
  readonly source: CredentialSource | undefined;
}

/** The requirements on credentials, and the listener for their events. */
export interface CredentialRules {
  peelId: string | undefined;
  now: (() => number) | undefined;
  /** The latest time that it may be, if `now` is the earliest; `now` by default. */
  latest: (() => number) | undefined;
  onEvent: (event: CredentialEvent) => void;
}

/**
 * Opens credentials. Fails fast if they are invalid: there is nothing to fall back to, and they would never connect.
 *
 * @throws CredsError, FileError, KeyError
 */
export async function openCredentials(
  given: GivenCredentials,
  { peelId, now, latest, onEvent }: CredentialRules,
): Promise<OpenCredentials> {
  if (given.kind === 'seed') {
    const { authenticator } = natsOptionFromSeed(given.seed);
    return { authenticator: authenticator as Authenticator, initial: undefined, source: undefined };
  }
  const initial = await loadGiven(given);
  checkUsable(initial, peelId, now, latest);
  if (given.kind === 'bytes') {
    const { authenticator } = initial.natsOption();
    return { authenticator: authenticator as Authenticator, initial, source: undefined };
  }
  const options = {
    initial,
    onEvent,
    latest,
    ...(peelId !== undefined && { expectedName: peelId }),
    ...(now && { now }),
  };
  const source = sourceOf(given, options);
  return { authenticator: source.authenticator, initial, source };
}

/** The source of replaceable credentials. */
export function sourceOf(
  given: GivenCredentials & { kind: 'file' | 'provider' },
  options: CredentialHolderOptions,
): FileCredentialSource | ProviderCredentialSource {
  return given.kind === 'file'
    ? new FileCredentialSource(given.path, options)
    : new ProviderCredentialSource(given.provider, options);
}

/** Loads the current credentials. @throws CredsError, FileError */
export async function loadGiven(given: GivenUserCredentials): Promise<CredsFile> {
  switch (given.kind) {
    case 'file':
      return given.loaded ?? loadCredsFile(given.path);
    case 'bytes':
      return given.creds;
    case 'provider':
      return loadFromProvider(given.provider);
  }
}

/** The store for renewed credentials. */
export interface CredentialStore {
  /** Its name in errors and events. */
  readonly path: string;
  /** Parses the credentials to store from the content of a `.creds` file. @throws CredsError */
  decode(content: Uint8Array): CredsFile;
  /** @throws FileError, CredsError */
  write(creds: CredsFile): Promise<void>;
}

/** The store for renewed credentials; undefined: they cannot be stored. */
export function storeOf(given: GivenCredentials): CredentialStore | undefined {
  if (given.kind === 'file') {
    const { path } = given;
    return {
      path,
      decode: (content) => decodeCredsOfFile(content, path),
      write: async (creds) => {
        const { seed } = creds;
        try {
          await writeCredsFile(path, creds.jwt, seed);
        } finally {
          seed.fill(0);
        }
      },
    };
  }
  if (given.kind !== 'provider' || given.provider.store === undefined) return undefined;
  const { provider } = given;
  const path = providerName(provider);
  return {
    path,
    decode: (content) => decodeCreds(content, path),
    write: (creds) => storeInProvider(provider, creds),
  };
}

/** The name of credentials in errors. */
export function nameOf(given: GivenCredentials): string {
  switch (given.kind) {
    case 'file':
      return given.path;
    case 'bytes':
      return given.creds.path;
    case 'provider':
      return providerName(given.provider);
    case 'seed':
      return 'a seed alone';
  }
}
