// connectPeel and connectMaster: connections that survive outages and credential changes.
import type { NatsConnection } from '@nats-io/transport-node';
import { orAborted } from '../async/or-aborted.js';
import { guardedNumber } from '../async/guarded.js';
import type { CredentialSource } from '../creds/credential-holder.js';
import { noStoreError } from '../creds/credential-provider.js';
import {
  givenCredentials,
  type CredentialsOption,
  type GivenCredentials,
  type GivenUserCredentials,
} from '../creds/credentials-option.js';
import type { CredsFile } from '../creds/creds-file.js';
import { ProviderCredentialSource } from '../creds/provider-credential-source.js';
import type { NatsOptions } from '../creds/nats-options.js';
import type { UserClaims } from '../jwt/claims.js';
import { validatePeelId } from '../permissions/peel-id.js';
import { checkConnectOptions, hasFixedWaits, type ClientOptions } from './check-options.js';
import { planConnection, type ClientTls, type TlsOptions } from './connect-plan.js';
import { watchCredentials } from './credential-watcher.js';
import { openCredentials } from './credentials.js';
import { Dialer } from './dialer.js';
import type { ConnectionEvent, ConnectionLogger } from './events.js';
import {
  checkConnectNames,
  checkConnectPeelNames,
  connectOptionsError,
  RENAMED_WAITS,
} from './option-names.js';
import { withCurrentNames, omitUndefined } from '../options/renamed-options.js';
import { inboxPrefixFor } from './inbox-prefix.js';
import { ManagedConnection } from './managed-connection.js';
import { masterTable, peelTable } from './options.js';
import { reconnectDelay, ReconnectDelays } from './reconnect-delays.js';
import { ReconnectPause } from './reconnect-pause.js';
import { Rotator, type RotatorOptions } from './rotator.js';
import { RECONNECT_WAIT_MS } from '../timing.js';

/** A connection that survives outages and replaced credentials. */
export interface ZesterConnection extends NatsConnection {
  /** Events about credentials and the reconnect buffer. Each call returns a new iterator. */
  events(): AsyncIterable<ConnectionEvent>;
  /** The messages buffered during the current outage. */
  readonly buffered: { messages: number; bytes: number };
  /** Drains the connection, for `await using`: sends published messages, within `drainTimeoutMs`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The accepted `connect()` options of the client; undefined means omitted. */
export type GivenClientOptions = { [Name in keyof ClientOptions]?: ClientOptions[Name] | undefined };

/** The options of a connection, without its credentials. Also accepts other options of the client's `connect()`. */
export interface ConnectSettings extends Omit<GivenClientOptions, 'tls' | 'servers' | 'timeout'> {
  /**
   * One or more URLs, such as `nats://127.0.0.1:4222` or `tls://nats.example.com`; a string may be a comma-separated
   * list. If one of them is `tls://`, TLS is required for all of them, and for the servers that the cluster announces.
   */
  servers?: string | readonly string[] | undefined;
  /**
   * The TLS options: `caFile`, `certFile` and `keyFile` (paths or `file:` URLs, read again at each connect), and the
   * client's own. If set, TLS is required.
   */
  tls?: TlsOptions | null | undefined;
  /** Refuse URLs without `tls://`, except for this machine; false by default. */
  requireTls?: boolean | undefined;
  /** Timeout for an attempt at one address of a server, in milliseconds; 5,000 by default. */
  timeout?: number | undefined;
  /** Bytes buffered during an outage; 8 MiB by default. With 0, publishing during an outage throws. */
  reconnectBufferSize?: number | undefined;
  /**
   * Switch to replaced credentials as soon as the file or the provider has them, not at the next reconnect; true by
   * default.
   */
  watch?: boolean | undefined;
  /**
   * How to switch to new credentials. `reconnect` (the default) drops the connection and dials again: published
   * messages are buffered and sent later; messages to this connection in the gap are lost, as in any outage. `hitless`
   * opens a second connection, moves the subscriptions, and closes the first: no message is lost or duplicated, except
   * that a plain subscription to an inbox may receive a message twice (see `ManagedSubscription`).
   */
  rotate?: 'reconnect' | 'hitless' | undefined;
  /** How long `drain()` waits for the end of an outage, in milliseconds; 5,000 by default. */
  drainTimeoutMs?: number | undefined;
  /**
   * With `hitless`: how long the first connection stays open for pending answers, in milliseconds; 5,000 by default.
   */
  handoverTimeoutMs?: number | undefined;
  /** @deprecated The former name, without a unit: use `drainTimeoutMs`. */
  drainTimeout?: number | undefined;
  /** @deprecated The former name, without a unit: use `handoverTimeoutMs`. */
  handoverTimeout?: number | undefined;
  /** Logs each event; has the interface of pino's loggers. */
  logger?: ConnectionLogger | undefined;
  /** Called for each event, including those of the first connect, which `events()` misses. */
  onEvent?: ((event: ConnectionEvent) => void) | undefined;
  /** Aborts the first connect, with the signal's reason. Once connected, use `close()` or `drain()`. */
  signal?: AbortSignal | undefined;
  /** The clock, in milliseconds; `Date.now` by default. */
  now?: (() => number) | undefined;
}

/** The options of `connectMaster`: settings, and exactly one credential. */
export type ConnectOptions = ConnectSettings & CredentialsOption;

/** The options of `connectPeel`: settings, exactly one credential, and the peel ID. */
export type ConnectPeelOptions = ConnectOptions & {
  /** One NATS token. The credentials must belong to this peel. */
  peelId: string;
  /**
   * The reconnect window in milliseconds; 2,000 by default. After a disconnect, the connection waits for a random time
   * within this window before it reconnects. Each failed attempt doubles the window, up to 30 s (or to this value, if
   * it is longer). So a fleet does not reconnect all at once: the larger the fleet, the longer the window should be
   * (docs/connections.md). Cannot be combined with the client's fixed delays: `reconnectTimeWait`, `reconnectJitter`,
   * `reconnectJitterTLS` or `reconnectDelayHandler`.
   */
  reconnectWindowMs?: number | undefined;
};

/**
 * Connects as a peel. The connection reconnects until it is closed, even while the server refuses its credentials. It
 * buffers messages published during an outage, and switches to replaced credentials (docs/connections.md).
 *
 * @throws PeelIdError; CredsError, FileError when the initial credentials are unusable; ConnectError when no server
 *   accepts the first connection
 * @example
 * import { connectPeel } from 'zester';
 *
 * const nc = await connectPeel({
 *   servers: process.env.NATS_URL,
 *   peelId: 'web-01',
 *   credentials: 'web-01.creds', // watched: replace the file, and the connection uses it
 *   rotate: 'hitless',
 *   onEvent: (event) => console.log(event.type),
 * });
 * nc.publish('zester.event.web-01.started', JSON.stringify({ pid: process.pid }));
 * await nc.drain(); // when the program ends
 */
export async function connectPeel(options: ConnectPeelOptions): Promise<ZesterConnection> {
  checkConnectPeelNames(options);
  const { peelId, credentials, credsPath, ...rest } = options;
  const role = { table: peelTable(validatePeelId(peelId)), peelId };
  return (await open(rest, givenCredentials({ credentials, credsPath }), role)).connection;
}

/** @internal The credentials of a connection, for code that replaces them. */
export interface ConnectionCredentials {
  /** The last good credentials: loaded or held. */
  readonly current: CredsFile;
  /** The JWT that the current connection authenticated with. */
  readonly jwtInUse: string | undefined;
  /** Checks the source for new credentials now, not at the next poll. */
  refresh(): void | Promise<void>;
  /** Switches to credentials that could not be written to the source. @throws CredsError */
  hold(creds: CredsFile): void;
  /** Switches to credentials that were stored in the source. */
  stored(creds: CredsFile): void;
}

/** @internal The settings of a peel's connection, for code that knows more about the time. */
export interface PeelConnectSettings extends ConnectSettings, Pick<ConnectPeelOptions, 'reconnectWindowMs'> {
  /** The latest time that it may be, if `now` is the earliest; `now` by default. */
  latest?: (() => number) | undefined;
}

/**
 * @internal Like {@link connectPeel}, with access to the credentials.
 *
 * @throws as {@link connectPeel}
 */
export async function openPeel(
  options: Omit<PeelConnectSettings, 'watch'> & Pick<ConnectPeelOptions, 'peelId'>,
  given: GivenUserCredentials,
): Promise<{ connection: ZesterConnection; credentials: ConnectionCredentials }> {
  const { peelId, ...rest } = options;
  return withCredentials(await open(rest, given, { table: peelTable(validatePeelId(peelId)), peelId }));
}

function withCredentials({ connection, credentials }: Opened): {
  connection: ZesterConnection;
  credentials: ConnectionCredentials;
} {
  if (credentials === undefined) throw new TypeError('a seed alone has no credentials');
  return { connection, credentials };
}

/**
 * Connects as a master or, with an admin's credentials, as an admin: like {@link connectPeel}, with the inboxes that
 * the JWT allows.
 *
 * @throws CredsError, FileError, ConnectError
 * @example
 * import { connectMaster } from 'zester';
 *
 * const nc = await connectMaster({
 *   servers: process.env.NATS_URL,
 *   credentials: 'admin.creds',
 *   signal: AbortSignal.timeout(10_000),
 * });
 * nc.subscribe('zester.event.>', { callback: (_error, msg) => console.log(msg.subject) });
 * await nc.drain(); // when the program ends
 */
export async function connectMaster(options: ConnectOptions): Promise<ZesterConnection> {
  checkConnectNames(options);
  const { credentials, credsPath, ...rest } = options;
  return (await open(rest, givenCredentials({ credentials, credsPath }), { table: masterTable() }))
    .connection;
}

/** @internal Like {@link connectMaster}, with its credentials. @throws as {@link connectMaster} */
export async function openMaster(
  options: ConnectSettings,
  given: GivenUserCredentials,
): Promise<{ connection: ZesterConnection; credentials: ConnectionCredentials }> {
  return withCredentials(await open(options, given, { table: masterTable() }));
}

/**
 * @internal Like {@link connectMaster}, with a different inbox prefix: for users of an older home, whose JWT allows
 * more.
 *
 * @throws as {@link connectMaster}
 */
export async function connectWithInbox(
  inboxPrefix: InboxPrefixOf,
  options: ConnectSettings,
  given: GivenUserCredentials,
): Promise<{ connection: ZesterConnection; credentials: ConnectionCredentials }> {
  return withCredentials(await open(options, given, { table: masterTable(), inboxPrefix }));
}

/** Chooses the inboxes of a connection. @param claims of the first credentials; undefined: a seed alone */
type InboxPrefixOf = (claims: UserClaims | undefined) => string;

/** The role of a connection. */
interface Role {
  table: NatsOptions;
  peelId?: string;
  inboxPrefix?: InboxPrefixOf;
}

interface Opened {
  connection: ZesterConnection;
  /** Undefined: a seed alone. */
  credentials: ConnectionCredentials | undefined;
}

async function open(
  settings: PeelConnectSettings,
  given: GivenCredentials,
  { table, peelId, inboxPrefix }: Role,
): Promise<Opened> {
  const options = withCurrentNames(settings, RENAMED_WAITS, connectOptionsError);
  checkConnectOptions(options);
  const { watch = true, rotate = 'reconnect', logger, onEvent, signal, ...rest } = options;
  signal?.throwIfAborted();
  const { reconnectBufferSize, drainTimeoutMs, handoverTimeoutMs, now, latest, ...ofReconnects } = rest;
  const { reconnectDelayHandler, ...others } = ofReconnects;
  const { reconnectWindowMs = RECONNECT_WAIT_MS, ...ofClient } = others;
  const client = omitUndefined(ofClient);
  // before reading credentials, so that an invalid URL fails first
  const plan = planConnection<ClientTls>(client);
  const early: ConnectionEvent[] = [];
  let emit = (event: ConnectionEvent): unknown => early.push(event);
  const failed = (callback: string) => (error: Error) =>
    void emit({ type: 'callbackFailed', callback, error });

  const opening = openCredentials(given, {
    peelId,
    now: now && guardedNumber(now, Date.now, failed('now')),
    latest,
    onEvent: (event) => void emit(event),
  });
  const credentials = await orAborted(opening, signal);
  const { source, initial } = credentials;
  // report expired credentials before trying them
  const beforeDial = () => source?.reportExpiry();
  const fixedDelays = () => {
    const ownDelay = () => reconnectDelay(client, plan.tls !== undefined, Math.random());
    const custom = reconnectDelayHandler;
    const delay = custom && guardedNumber(custom, ownDelay, failed('reconnectDelayHandler'));
    return new ReconnectDelays(delay ?? ownDelay, beforeDial);
  };
  // masters and admins are few and reconnect fast, since peels wait for them
  const delays =
    peelId === undefined || hasFixedWaits(options)
      ? fixedDelays()
      : new ReconnectPause(reconnectWindowMs, beforeDial);
  const prefix =
    inboxPrefix?.(initial?.claims) ??
    (peelId === undefined ? inboxesOf(initial?.claims, table) : table.inboxPrefix);
  const dialer = new Dialer(
    {
      ...table,
      ...(prefix !== undefined && { inboxPrefix: prefix }),
      ...client,
      servers: plan.urls,
      configured: plan.servers,
      // also needed by the second connection of a rotation, whose first server may have no URL scheme
      ...(plan.tls !== undefined && { tls: plan.tls }),
    },
    credentials,
    delays,
  );
  const diagnosed = {
    ...(client.name !== undefined && { name: client.name }),
    ...(peelId !== undefined && { peelId }),
  };
  const connection = new ManagedConnection(await firstOf(dialer, signal), {
    movable: rotate === 'hitless',
    inboxPrefix: prefix,
    maxBytes: reconnectBufferSize,
    drainTimeoutMs,
    handoverTimeoutMs,
    logger,
    onEvent,
    diagnosed,
  });
  emit = (event) => connection.emit(event);
  for (const event of early) connection.emit(event);
  if (initial === undefined) return { connection, credentials: undefined };
  if (source === undefined) return { connection, credentials: fixed(initial) };
  const retryMs = client.reconnectTimeWait ?? RECONNECT_WAIT_MS;
  return {
    connection,
    credentials: follow(connection, source, watch, { how: rotate, source, dialer, retryMs, diagnosed }),
  };
}

/** Makes the first connection. If the signal is aborted first, a connection that is made later is closed. */
function firstOf(dialer: Dialer, signal: AbortSignal | undefined): Promise<NatsConnection> {
  const first = dialer.first();
  const late = () =>
    signal?.aborted === true &&
    void first.then(
      (nc) => nc.close(),
      () => undefined,
    );
  return orAborted(first, signal).finally(late);
}

/** The inbox prefix that the credentials allow; for masters and admins. */
function inboxesOf(claims: UserClaims | undefined, { inboxPrefix }: NatsOptions): string | undefined {
  return claims === undefined || inboxPrefix === undefined
    ? inboxPrefix
    : inboxPrefixFor(claims, inboxPrefix);
}

/** Credentials that never change. */
function fixed(creds: CredsFile): ConnectionCredentials {
  const cannotStore = () => {
    throw noStoreError(creds.path);
  };
  return {
    current: creds,
    jwtInUse: creds.jwt,
    refresh: () => undefined,
    hold: cannotStore,
    stored: cannotStore,
  };
}

/** Watches the source of the credentials, and switches the connection to new ones. */
function follow(
  connection: ManagedConnection,
  source: CredentialSource,
  watch: boolean,
  options: RotatorOptions,
): ConnectionCredentials {
  const rotator = new Rotator(connection, options);
  const changed = () => {
    options.dialer.credentialsChanged();
    rotator.check();
  };
  const watcher = watch ? watchCredentials(source, changed) : undefined;
  void connection.closed().then(() => {
    watcher?.stop();
    rotator.stop();
  });
  return {
    get current() {
      // the initial credentials were good
      return source.current as CredsFile;
    },
    get jwtInUse() {
      return options.dialer.inUse;
    },
    refresh: () => {
      const refreshed = source.refresh();
      if (refreshed instanceof Promise) return refreshed.then(changed);
      changed();
    },
    hold: (creds) => {
      source.hold(creds);
      changed();
    },
    stored: (creds) => {
      // a file has these or newer ones; a provider may not return stored credentials at once
      if (source instanceof ProviderCredentialSource) source.hold(creds);
      else void source.refresh();
      changed();
    },
  };
}
