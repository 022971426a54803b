// The credentials that a connection authenticates with.
import type { Authenticator } from '@nats-io/transport-node';
import type { CredentialEvent } from '../creds/credential-event.js';
import type { CredsFile } from '../creds/creds-file.js';
import { checkUsable, FileCredentialSource } from '../creds/file-credential-source.js';
import { loadCredsFile } from '../creds/parse.js';
import type { UserClaims } from '../jwt/claims.js';
import { natsOptionFromSeed } from './options.js';

/** The credentials of one connection. */
export interface Credentials {
  readonly authenticator: Authenticator;
  readonly claims: UserClaims | undefined;
  /** Where they are read again; undefined: they cannot be rotated. */
  readonly source: FileCredentialSource | undefined;
}

/** One of these is given. */
export interface GivenCredentials {
  credsPath?: string | undefined;
  creds?: CredsFile | undefined;
  seed?: Uint8Array | string | undefined;
}

/** The peel that they must belong to, and the listener for their events. */
export interface CredentialRules {
  peelId: string | undefined;
  now: (() => number) | undefined;
  onEvent: (event: CredentialEvent) => void;
}

/**
 * Opens credentials. At the start nothing is lost by an error, and much is gained: bad ones would never connect.
 *
 * @throws CredsError, FileError, KeyError
 */
export async function openCredentials(
  { credsPath, creds, seed }: GivenCredentials,
  { peelId, now, onEvent }: CredentialRules,
): Promise<Credentials> {
  const initial = credsPath === undefined ? creds : await loadCredsFile(credsPath);
  if (initial === undefined) {
    const { authenticator } = natsOptionFromSeed(seed ?? '');
    return { authenticator: authenticator as Authenticator, claims: undefined, source: undefined };
  }
  checkUsable(initial, peelId, now);
  const { claims } = initial;
  if (credsPath === undefined) {
    const { authenticator } = initial.natsOption();
    return { authenticator: authenticator as Authenticator, claims, source: undefined };
  }
  const source = new FileCredentialSource(credsPath, {
    initial,
    onEvent,
    ...(peelId !== undefined && { expectedName: peelId }),
    ...(now && { now }),
  });
  return { authenticator: source.authenticator, claims, source };
}
