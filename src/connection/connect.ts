// connectPeel and connectMaster: connections that survive outages and credential changes.
import type { NatsConnection } from '@nats-io/transport-node';
import { guardedNumber } from '../async/guarded.js';
import type { CredsFile } from '../creds/creds-file.js';
import type { FileCredentialSource } from '../creds/file-credential-source.js';
import type { NatsOptions } from '../creds/nats-options.js';
import type { UserClaims } from '../jwt/claims.js';
import { validatePeelId } from '../permissions/peel-id.js';
import { checkConnectOptions, type ClientOptions } from './check-options.js';
import { planConnection } from './connect-plan.js';
import { CredentialWatcher } from './credential-watcher.js';
import { openCredentials } from './credentials.js';
import { Dialer } from './dialer.js';
import type { ConnectionEvent, ConnectionLogger } from './events.js';
import { checkConnectNames, checkConnectPeelNames } from './option-names.js';
import { inboxPrefixFor } from './inbox-prefix.js';
import { ManagedConnection } from './managed-connection.js';
import { masterTable, peelTable } from './options.js';
import { reconnectDelay, ReconnectDelays } from './reconnect-delays.js';
import { Rotator, type RotatorOptions } from './rotator.js';
import { RECONNECT_WAIT_MS } from '../timing.js';

/** A connection that survives outages and the replacement of its credentials. */
export interface ZesterConnection extends NatsConnection {
  /** What happens to the credentials and the reconnect buffer; each call gives an iterator of its own. */
  events(): AsyncIterable<ConnectionEvent>;
  /** What is kept at the moment, because the connection is down. */
  readonly buffered: { messages: number; bytes: number };
}

/** What `connectPeel` and `connectMaster` have in common. Other options of the client's `connect()` may be given too. */
export interface ConnectOptions extends Omit<ClientOptions, 'tls'> {
  /**
   * One URL or several, such as `nats://127.0.0.1:4222` or `tls://nats.example.com`; a string with commas is a list. With
   * one `tls://` among them, no connection is made without TLS: to none of them, nor to those that the cluster announces.
   */
  servers?: string | string[];
  /**
   * For TLS: `caFile`, `certFile` and `keyFile`, read again at each connect; given, TLS is required. Other options are those
   * of the client.
   */
  tls?: NatsOptions['tls'] | undefined;
  /** Refuse URLs without `tls://`, but for those of this machine; false by default. */
  requireTls?: boolean | undefined;
  /** How long an attempt at one address of a server may take, in milliseconds; 5,000 by default. */
  timeout?: number;
  /** The `.creds` file. It is read again at each connect, and watched. */
  credsPath?: string;
  /** Instead of `credsPath`: credentials parsed from bytes, which cannot be rotated. */
  creds?: CredsFile;
  /** Instead of `credsPath`: a seed alone, for servers that list public keys; it cannot be rotated. */
  seed?: Uint8Array | string;
  /** Bytes kept during an outage; 8 MiB by default. With 0, publishing during an outage throws. */
  reconnectBufferSize?: number;
  /** Use a replaced `.creds` file within a second instead of at the next reconnect; true by default. */
  watch?: boolean;
  /**
   * How to go over to new credentials. `reconnect` (the default) drops the connection and dials again: what this side
   * publishes is kept and sent, what others send it in the gap is lost, as always in an outage. `hitless` makes a second
   * connection, moves the subscriptions and lets the first one end: nothing is lost or doubled, except that a plain
   * subscription to an inbox may get a message twice (see `ManagedSubscription`).
   */
  rotate?: 'reconnect' | 'hitless';
  /** How long `drain()` waits for an outage to end, in milliseconds; 5,000 by default. */
  drainTimeout?: number;
  /** With `hitless`: how long the first connection stays for answers under way, in milliseconds; 5,000 by default. */
  handoverTimeout?: number;
  /** Logs each event; it has the interface of pino's loggers. */
  logger?: ConnectionLogger;
  /** Called for each event from the first connect on, for which `events()` comes too late. */
  onEvent?: (event: ConnectionEvent) => void;
  /** The clock, in milliseconds; `Date.now` by default. */
  now?: () => number;
}

/** What `connectPeel` takes. */
export interface ConnectPeelOptions extends ConnectOptions {
  /** One NATS token; the `.creds` file must be this peel's. */
  peelId: string;
}

/**
 * Connects a peel: a peel's options (docs/connections.md), a reconnect buffer, and credentials that may be replaced at any
 * time. It reconnects forever, whatever the server says of its credentials.
 *
 * @throws PeelIdError; CredsError, FileError when the credentials cannot be used from the start; ConnectError when no
 *   server takes the first connection
 */
export async function connectPeel(options: ConnectPeelOptions): Promise<ZesterConnection> {
  checkConnectPeelNames(options);
  const { peelId, ...rest } = options;
  return (await open(rest, peelTable(validatePeelId(peelId)), peelId)).connection;
}

/** @internal The credentials of a connection, for who replaces them. */
export interface ConnectionCredentials {
  /** The last good ones: of the file, or held. */
  readonly current: CredsFile;
  /** The JWT that the connection in use was made with. */
  readonly jwtInUse: string | undefined;
  /** Looks at the file now, and not only when it is next looked at. */
  look(): void;
  /** Goes over to credentials that the file does not hold, because they could not be written to it. @throws CredsError */
  hold(creds: CredsFile): void;
}

/**
 * @internal As {@link connectPeel}, from a `.creds` file that is watched: with the means to replace the credentials.
 *
 * @throws as {@link connectPeel}
 */
export async function openPeel(
  options: Omit<ConnectPeelOptions, 'creds' | 'seed' | 'watch'> & { credsPath: string },
): Promise<{ connection: ZesterConnection; credentials: ConnectionCredentials }> {
  const { peelId, ...rest } = options;
  const { connection, credentials } = await open(rest, peelTable(validatePeelId(peelId)), peelId);
  if (credentials === undefined) throw new TypeError('a connection from a file has credentials');
  return { connection, credentials };
}

/**
 * Connects a master: as {@link connectPeel}, with the master's table of options. With an admin's credentials it connects an
 * admin: the inboxes are those that the JWT allows.
 *
 * @throws CredsError, FileError, ConnectError
 */
export async function connectMaster(options: ConnectOptions): Promise<ZesterConnection> {
  checkConnectNames(options);
  return (await open(options, masterTable(), undefined)).connection;
}

/**
 * @internal As {@link connectMaster}, with these inboxes: for what a user of an older home is, whose JWT allows more.
 *
 * @throws as {@link connectMaster}
 */
export async function connectWithInbox(
  inboxPrefix: string,
  options: ConnectOptions,
): Promise<ZesterConnection> {
  return (await open(options, masterTable(), undefined, inboxPrefix)).connection;
}

async function open(
  options: ConnectOptions,
  table: NatsOptions,
  peelId: string | undefined,
  inboxPrefix?: string,
): Promise<{ connection: ZesterConnection; credentials?: ConnectionCredentials }> {
  checkConnectOptions(options);
  const { credsPath, creds, seed, watch = true, rotate = 'reconnect', logger, onEvent, ...rest } = options;
  const { reconnectBufferSize, drainTimeout, handoverTimeout, now, reconnectDelayHandler, ...client } = rest;
  // before the credentials are read: what cannot be connected to needs none
  const plan = planConnection(client);
  const early: ConnectionEvent[] = [];
  let hear = (event: ConnectionEvent): unknown => early.push(event);
  const failed = (callback: string) => (error: Error) =>
    void hear({ type: 'callbackFailed', callback, error });

  const credentials = await openCredentials(
    { credsPath, creds, seed },
    {
      peelId,
      now: now && guardedNumber(now, Date.now, failed('now')),
      onEvent: (event) => void hear(event),
    },
  );
  const { source, claims } = credentials;
  const ownDelay = () => reconnectDelay(client, plan.tls !== undefined, Math.random());
  const delay =
    reconnectDelayHandler && guardedNumber(reconnectDelayHandler, ownDelay, failed('reconnectDelayHandler'));
  // an expired credential is reported before it is tried
  const delays = new ReconnectDelays(delay ?? ownDelay, () => source?.reportExpiry());
  const prefix = inboxPrefix ?? (peelId === undefined ? inboxesOf(claims, table) : table.inboxPrefix);
  const dialer = new Dialer(
    {
      ...table,
      ...(prefix !== undefined && { inboxPrefix: prefix }),
      ...client,
      servers: plan.urls,
      configured: plan.servers,
      // for the second connection of a rotation too, whose list may begin with a server that has no URL
      ...(plan.tls !== undefined && { tls: plan.tls }),
    },
    credentials,
    delays,
  );
  const connection = new ManagedConnection(await dialer.first(), {
    movable: rotate === 'hitless',
    inboxPrefix: prefix,
    maxBytes: reconnectBufferSize,
    drainTimeout,
    handoverTimeout,
    logger,
    onEvent,
  });
  hear = (event) => connection.emit(event);
  for (const event of early) connection.emit(event);
  if (source === undefined || !watch) return { connection };
  const retryMs = client.reconnectTimeWait ?? RECONNECT_WAIT_MS;
  return {
    connection,
    credentials: follow(connection, source, { how: rotate, source, dialer, retryMs }),
  };
}

/** The inboxes that the credentials allow: a peel's are its id's; admins connect as masters do. */
function inboxesOf(claims: UserClaims | undefined, { inboxPrefix }: NatsOptions): string | undefined {
  return claims === undefined || inboxPrefix === undefined
    ? inboxPrefix
    : inboxPrefixFor(claims, inboxPrefix);
}

/** Watches the file, and takes the connection over to what it holds. */
function follow(
  connection: ManagedConnection,
  source: FileCredentialSource,
  options: RotatorOptions,
): ConnectionCredentials {
  const rotator = new Rotator(connection, options);
  const watcher = new CredentialWatcher(source, () => rotator.check());
  void connection.closed().then(() => {
    watcher.stop();
    rotator.stop();
  });
  return {
    get current() {
      // there were good ones at the start
      return source.current as CredsFile;
    },
    get jwtInUse() {
      return options.dialer.inUse;
    },
    look: () => {
      source.refresh();
      rotator.check();
    },
    hold: (creds) => {
      source.hold(creds);
      rotator.check();
    },
  };
}
