// Options for the client's own `connect()`.
import { FileCredentialSource } from '../creds/file-credential-source.js';
import type { NatsOptions } from '../creds/nats-options.js';
import { nonceSignature } from '../creds/sign-nonce.js';
import { loadKeyBundle } from '../nkeys/key-bundle.js';
import { validatePeelId } from '../permissions/peel-id.js';
import { MASTER_INBOX_PREFIX, peelInboxPrefix } from '../permissions/names.js';
import { RECONNECT_JITTER_MS, RECONNECT_JITTER_TLS_MS, RECONNECT_WAIT_MS } from '../timing.js';

/**
 * Options that keep a connection alive: reconnects forever, 2 s and jitter apart, authentication errors included
 * (docs/nats-facts.md, 2).
 */
export const PERSISTENT_OPTIONS = {
  reconnect: true,
  maxReconnectAttempts: -1,
  reconnectTimeWait: RECONNECT_WAIT_MS,
  reconnectJitter: RECONNECT_JITTER_MS,
  reconnectJitterTLS: RECONNECT_JITTER_TLS_MS,
  ignoreAuthErrorAbort: true,
} as const satisfies NatsOptions;

/**
 * Authenticates with an nkey seed alone, for servers that list trusted public keys instead of using JWTs: the server
 * sends a nonce, the client signs it with the private key.
 *
 * @param seed a user's seed (`SU…`) as bytes or a string
 * @throws KeyError
 */
export function natsOptionFromSeed(seed: Uint8Array | string): NatsOptions {
  const key = loadKeyBundle('user', seed);
  return {
    authenticator: (nonce?: string) => ({ nkey: key.publicKey, sig: nonceSignature(key, nonce) }),
    ignoreAuthErrorAbort: true,
  };
}

/**
 * The options of a peel's connection: authentication from its `.creds` file, read again at each connect; the name
 * `zester-peel-<peelId>`; unlimited reconnects, 2 s and jitter apart; inboxes that no other peel can read. The reconnect
 * buffer is not an option of the client: `connectPeel` and `withReconnectBuffer` add it.
 *
 * @throws PeelIdError
 */
export function natsOptionsForPeel(credsPath: string, peelId: string): NatsOptions {
  validatePeelId(peelId);
  return {
    ...peelTable(peelId),
    authenticator: new FileCredentialSource(checkedPath(credsPath), { keepName: true }).authenticator,
  };
}

/** The options of a master's connection: as a peel's, under the name `zester-master`. */
export function natsOptionsForMaster(credsPath: string): NatsOptions {
  return { ...masterTable(), authenticator: new FileCredentialSource(checkedPath(credsPath)).authenticator };
}

/** @internal The options of a peel, without the authentication. */
export function peelTable(peelId: string): NatsOptions {
  return { ...PERSISTENT_OPTIONS, name: `zester-peel-${peelId}`, inboxPrefix: peelInboxPrefix(peelId) };
}

/** @internal The options of a master, without the authentication. */
export function masterTable(): NatsOptions {
  return { ...PERSISTENT_OPTIONS, name: 'zester-master', inboxPrefix: MASTER_INBOX_PREFIX };
}

function checkedPath(path: string): string {
  if (typeof path !== 'string' || path === '')
    throw new TypeError('credsPath: give the path of a .creds file');
  return path;
}
