import { errors, type Authenticator, type NatsConnection } from '@nats-io/transport-node';
import type { CredentialEvent } from '../creds/credential-event.js';
import type { CredsFile } from '../creds/creds-file.js';
import { checkUsable, FileCredentialSource } from '../creds/file-credential-source.js';
import type { NatsOptions } from '../creds/nats-options.js';
import { loadCredsFile } from '../creds/parse.js';
import { ConnectError } from '../errors.js';
import { validatePeelId } from '../permissions/peel-id.js';
import { guardedNumber } from '../async/guarded.js';
import { checkConnectOptions, type ClientOptions } from './check-options.js';
import { CredentialWatcher } from './credential-watcher.js';
import { connectFailure, connectError } from './connect-failure.js';
import { planConnection } from './connect-plan.js';
import { dial as connect, DIAL_TIMEOUT_MS, type DialOptions } from './dial.js';
import type { ConnectionEvent, ConnectionLogger } from './events.js';
import { inboxPrefixFor } from './inbox-prefix.js';
import { ManagedConnection } from './managed-connection.js';
import {
  masterTable,
  natsOptionFromSeed,
  peelTable,
  RECONNECT_JITTER_MS,
  RECONNECT_JITTER_TLS_MS,
  RECONNECT_WAIT_MS,
} from './options.js';
import { Rotator } from './rotator.js';

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
  /** Hears of each event, in the shape of pino's loggers. */
  logger?: ConnectionLogger;
  /** Hears of each event from the first connect on, where `events()` comes too late. */
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
 * time. It reconnects without end, whatever the server says of its credentials.
 *
 * @throws PeelIdError; CredsError, FileError when the credentials cannot be used from the start; ConnectError when no
 *   server takes the first connection
 */
export async function connectPeel(options: ConnectPeelOptions): Promise<ZesterConnection> {
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
  const {
    credsPath,
    creds,
    seed,
    reconnectBufferSize,
    watch = true,
    rotate = 'reconnect',
    drainTimeout,
    handoverTimeout,
    logger,
    onEvent,
    now: givenNow,
    reconnectDelayHandler,
    ...client
  } = options;
  checkConnectOptions(options);
  // before the credentials are read: what cannot be connected to needs none
  const plan = planConnection(client);
  const early: ConnectionEvent[] = [];
  let hear = (event: ConnectionEvent): unknown => early.push(event);
  const failed = (callback: string) => (error: Error) =>
    void hear({ type: 'callbackFailed', callback, error });
  const now = givenNow && guardedNumber(givenNow, Date.now, failed('now'));
  const source =
    credsPath === undefined
      ? undefined
      : await openSource(credsPath, peelId, now, (event) => void hear(event));
  if (creds !== undefined) checkUsable(creds, peelId, now);

  const delays = new ReconnectDelays(client, plan.tls !== undefined, source);
  const delay =
    reconnectDelayHandler &&
    guardedNumber(reconnectDelayHandler, () => delays.random(), failed('reconnectDelayHandler'));
  const authenticator = source?.authenticator ?? authenticatorOf(creds, seed);
  /** The JWT that the connection in use sent last; a second connection is not in use before it is moved to. */
  let inUse: string | undefined;
  const claims = (source?.current ?? creds)?.claims;
  const baseOptions: DialOptions = {
    ...table,
    // a peel's is its id's; admins connect as masters do
    ...(peelId === undefined &&
      claims !== undefined &&
      table.inboxPrefix !== undefined && { inboxPrefix: inboxPrefixFor(claims, table.inboxPrefix) }),
    ...(inboxPrefix !== undefined && { inboxPrefix }),
    ...client,
    reconnectDelayHandler: () => delays.next(delay),
    servers: plan.urls,
    configured: plan.servers,
    // for the second connection of a rotation too, whose list may begin with a server that has no URL
    ...(plan.tls !== undefined && { tls: plan.tls }),
  };
  const dial = async (servers: DialOptions): Promise<NatsConnection> => {
    let started = false;
    let attempts = 0;
    const nc = await connect({
      ...servers,
      authenticator: (nonce?: string) => {
        attempts += 1;
        if (!started && servers.waitOnFirstConnect !== true) endlessRefusal(attempts, servers.servers);
        const auth = authenticator(nonce);
        if (started) inUse = source?.current?.jwt;
        return auth;
      },
    });
    started = true;
    return nc;
  };

  const nc = await firstConnect(() => dial(baseOptions), plan.urls, client.timeout);
  inUse = source?.current?.jwt;
  const connection = new ManagedConnection(nc, {
    movable: rotate === 'hitless',
    ...(baseOptions.inboxPrefix !== undefined && { inboxPrefix: baseOptions.inboxPrefix }),
    ...(reconnectBufferSize !== undefined && { maxBytes: reconnectBufferSize }),
    ...(drainTimeout !== undefined && { drainTimeout }),
    ...(handoverTimeout !== undefined && { handoverTimeout }),
    ...(logger && { logger }),
    ...(onEvent && { onEvent }),
  });
  hear = (event) => connection.emit(event);
  for (const event of early) connection.emit(event);

  if (source === undefined || !watch) return { connection };
  const rotator = new Rotator(connection, {
    how: rotate,
    wanted: () => source.current,
    inUse: () => inUse,
    moved: (jwt) => (inUse = jwt),
    hurry: () => delays.hurry(),
    dial: () => dial(sameServerFirst(baseOptions, connection)),
    retryMs: client.reconnectTimeWait ?? RECONNECT_WAIT_MS,
  });
  const watcher = new CredentialWatcher(source, () => rotator.check());
  void connection.closed().then(() => {
    watcher.stop();
    rotator.stop();
  });
  return {
    connection,
    credentials: {
      get current() {
        // there were good ones at the start
        return source.current as CredsFile;
      },
      get jwtInUse() {
        return inUse;
      },
      look: () => {
        source.refresh();
        rotator.check();
      },
      hold: (creds) => {
        source.hold(creds);
        rotator.check();
      },
    },
  };
}

async function openSource(
  path: string,
  peelId: string | undefined,
  now: (() => number) | undefined,
  onEvent: (event: CredentialEvent) => void,
): Promise<FileCredentialSource> {
  const initial = await loadCredsFile(path);
  // at the start nothing is lost by an error, and much is gained: these would never connect
  checkUsable(initial, peelId, now);
  return new FileCredentialSource(path, {
    initial,
    onEvent,
    ...(peelId !== undefined && { expectedName: peelId }),
    ...(now && { now }),
  });
}

function authenticatorOf(creds: CredsFile | undefined, seed: Uint8Array | string | undefined): Authenticator {
  const { authenticator } = creds?.natsOption() ?? natsOptionFromSeed(seed ?? '');
  return authenticator as Authenticator;
}

/**
 * Ends a first connect that is refused everywhere. In a cluster the client would go on for ever, and at full speed: each
 * server that refuses it is dropped from its list, and comes back into it with the next server's list of its cluster. An
 * authenticator that throws ends it (docs/nats-facts.md, 3).
 *
 * @throws errors.AuthorizationError after two attempts a server, since a name may have two addresses
 */
function endlessRefusal(attempts: number, servers: string | string[] | undefined): void {
  if (attempts > 2 * Math.max(1, [servers ?? []].flat().length)) {
    throw new errors.AuthorizationError('Authorization Violation');
  }
}

async function firstConnect(
  dial: () => Promise<NatsConnection>,
  urls: readonly string[],
  timeoutMs = DIAL_TIMEOUT_MS,
): Promise<NatsConnection> {
  try {
    return await dial();
  } catch (cause) {
    if (cause instanceof ConnectError) throw cause;
    const servers = urls.join(', ');
    const failure = connectFailure(cause, timeoutMs);
    if (failure.kind !== 'refused') throw connectError(failure, servers, cause);
    throw new ConnectError(
      'ERR_CONNECT_REFUSED',
      `${servers} refused the credentials (${failure.reason}): they may be revoked, expired or of another operator`,
      { cause },
    );
  }
}

/**
 * The waits between attempts. Each is the last moment before a dial, so the file is looked at here: an expired
 * credential is said to be expired before it is tried, and it is tried no more often than any other.
 */
class ReconnectDelays {
  readonly #wait: number;
  readonly #jitter: number;
  readonly #source: FileCredentialSource | undefined;
  #hurry = false;

  constructor(client: Omit<NatsOptions, 'tls'>, tls: boolean, source: FileCredentialSource | undefined) {
    this.#wait = client.reconnectTimeWait ?? RECONNECT_WAIT_MS;
    this.#jitter = tls
      ? (client.reconnectJitterTLS ?? RECONNECT_JITTER_TLS_MS)
      : (client.reconnectJitter ?? RECONNECT_JITTER_MS);
    this.#source = source;
  }

  /** The next dial waits for nothing: the connection is being dropped on purpose. */
  hurry(): void {
    this.#hurry = true;
  }

  /** @param wait how long, where the user says so */
  next(wait = (): number => this.random()): number {
    if (this.#hurry) {
      this.#hurry = false;
      return 0;
    }
    this.#source?.reportExpiry();
    return wait();
  }

  random(): number {
    return this.#wait + Math.floor(Math.random() * (this.#jitter + 1));
  }
}

/**
 * The second connection of a move goes to the server of the first where it can: then a queue group loses no message that
 * is on its way between servers.
 */
function sameServerFirst(options: DialOptions, connection: NatsConnection): DialOptions {
  const servers = [options.servers ?? []].flat();
  const current = connection.getServer();
  if (current === '') return options;
  const own = servers.find((url) => url.endsWith(`//${current}`));
  // one that the cluster announced, to which the connection was made as the options ask for
  const first = own ?? (options.requireTls === true && options.tls ? `tls://${current}` : current);
  return { ...options, servers: [first, ...servers.filter((url) => url !== own)], noRandomize: true };
}
