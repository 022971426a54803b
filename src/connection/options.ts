// Options for the client's own `connect()`.
import { loadFromProvider, type CredentialProvider } from '../creds/credential-provider.js';
import { givenCredentials, type Credentials } from '../creds/credentials-option.js';
import { FileCredentialSource } from '../creds/file-credential-source.js';
import type { NatsOptions } from '../creds/nats-options.js';
import { ProviderCredentialSource } from '../creds/provider-credential-source.js';
import { validatePeelId } from '../permissions/peel-id.js';
import { MASTER_INBOX_PREFIX, peelInboxPrefix } from '../permissions/names.js';
import { anything, bag, checkOptions, type Entries } from '../options/check-options.js';
import { connectOptionsError } from './option-names.js';
import { natsOptionFromSeed } from './seed-option.js';
import { RECONNECT_JITTER_MS, RECONNECT_JITTER_TLS_MS, RECONNECT_WAIT_MS } from '../timing.js';

/**
 * Options that keep a connection alive: unlimited reconnects, every 2 s plus jitter, also after authentication errors
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

/** The options of {@link natsOptionsForPeel} as an object. */
export interface PeelAndCredentials<Kind = Credentials> {
  /** One NATS token. */
  peelId: string;
  /** The credentials to authenticate with. */
  credentials: Kind;
}

const PEEL_AND_CREDENTIALS = bag(
  { peelId: anything, credentials: anything } satisfies Entries<PeelAndCredentials>,
  { required: ['peelId', 'credentials'] },
);

/**
 * The client options for a peel's connection: authentication; the name `zester-peel-<peelId>`; unlimited reconnects,
 * every 2 s plus jitter; inboxes that no other peel can read. The reconnect buffer is not a client option:
 * `connectPeel` and `withReconnectBuffer` add it. A `.creds` file is read again at each connect. A provider loads now,
 * and again after each connect, for the next connect.
 *
 * @returns the options; with a provider, a promise of them
 * @throws PeelIdError; ConnectError `ERR_CONNECT_OPTIONS` for invalid credentials; with a provider, CredsError
 * @example
 * import { connect } from '@nats-io/transport-node';
 * import { natsOptionsForPeel } from 'zester';
 *
 * const nc = await connect({
 *   servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
 *   ...natsOptionsForPeel('web-01.creds', 'web-01'),
 * });
 * nc.publish('zester.event.web-01.started');
 * await nc.drain();
 */
export function natsOptionsForPeel(
  credentials: Exclude<Credentials, CredentialProvider>,
  peelId: string,
): NatsOptions;
export function natsOptionsForPeel(credentials: CredentialProvider, peelId: string): Promise<NatsOptions>;
/** The same, with an options object. */
export function natsOptionsForPeel(peel: PeelAndCredentials<CredentialProvider>): Promise<NatsOptions>;
export function natsOptionsForPeel(
  peel: PeelAndCredentials<Exclude<Credentials, CredentialProvider>>,
): NatsOptions;
export function natsOptionsForPeel(
  first: Credentials | PeelAndCredentials,
  second?: string,
): NatsOptions | Promise<NatsOptions> {
  const isNamed = typeof first === 'object' && first !== null && 'peelId' in first;
  if (isNamed) checkOptions('natsOptionsForPeel', first, PEEL_AND_CREDENTIALS, connectOptionsError);
  const { peelId, credentials } = isNamed ? first : { peelId: second ?? '', credentials: first };
  validatePeelId(peelId);
  return natsOptions(peelTable(peelId), credentials, true);
}

/**
 * The client options for a master's connection: like a peel's, with the name `zester-master`.
 *
 * @throws as {@link natsOptionsForPeel}
 * @example
 * import { connect } from '@nats-io/transport-node';
 * import { natsOptionsForMaster } from 'zester';
 *
 * const nc = await connect({
 *   servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
 *   ...natsOptionsForMaster('master.creds'),
 * });
 * nc.subscribe('zester.event.>', { callback: (_error, msg) => console.log(msg.subject) });
 * await nc.drain();
 */
export function natsOptionsForMaster(credentials: Exclude<Credentials, CredentialProvider>): NatsOptions;
export function natsOptionsForMaster(credentials: CredentialProvider): Promise<NatsOptions>;
export function natsOptionsForMaster(credentials: Credentials): NatsOptions | Promise<NatsOptions> {
  return natsOptions(masterTable(), credentials, false);
}

function natsOptions(
  table: NatsOptions,
  credentials: Credentials,
  keepName: boolean,
): NatsOptions | Promise<NatsOptions> {
  const given = givenCredentials({ credentials });
  switch (given.kind) {
    case 'seed':
      return { ...table, ...natsOptionFromSeed(given.seed) };
    case 'bytes':
      return { ...table, ...given.creds.natsOption() };
    case 'file': {
      const options = { keepName, ...(given.loaded && { initial: given.loaded }) };
      return { ...table, authenticator: new FileCredentialSource(given.path, options).authenticator };
    }
    case 'provider':
      return loadFromProvider(given.provider).then((initial) => {
        const source = new ProviderCredentialSource(given.provider, { keepName, initial });
        return { ...table, authenticator: source.authenticator };
      });
  }
}

/** @internal The options of a peel, without authentication. */
export function peelTable(peelId: string): NatsOptions {
  return { ...PERSISTENT_OPTIONS, name: `zester-peel-${peelId}`, inboxPrefix: peelInboxPrefix(peelId) };
}

/** @internal The options of a master, without authentication. */
export function masterTable(): NatsOptions {
  return { ...PERSISTENT_OPTIONS, name: 'zester-master', inboxPrefix: MASTER_INBOX_PREFIX };
}
