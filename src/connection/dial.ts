// Opens one connection of the NATS client, with TLS rules and timeouts.
import { connect, errors, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';
import {
  NatsConnectionImpl,
  ProtocolHandler,
  type Server,
  type Transport,
} from '@nats-io/nats-core/internal';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { isIP, type Socket } from 'node:net';
import type { NatsOptions } from '../creds/nats-options.js';
import { shareCancelError } from './answered-requests.js';
import { boundParser, peekInfo, type PeekedTransport } from './bounded-reading.js';
import { checkTlsFiles, readTlsFiles } from './check-tls-files.js';
import { coalesceWrites } from './coalesce-writes.js';
import { CLOSED, closedWithoutReason, CERTIFICATE_REQUIRED } from './connect-failure.js';
import { planConnection, type ClientTls, type TlsOptions } from './connect-plan.js';
import { readInTurns } from './read-in-turns.js';
import type { ReconnectPause } from './reconnect-pause.js';
import { readServerInfo } from './server-info.js';
import type { ServerUrl } from './server-urls.js';
import { moreSpecific } from './specific-failure.js';
import { withDeadline } from '../async/deadline.js';
import { DIAL_TIMEOUT_MS } from '../timing.js';

/** The number of addresses of a DNS name to try: thousands of addresses must not delay an attempt for hours. */
const MAX_ADDRESSES = 8;
/** The number of announced servers that the first connect tries: each server's list may contain new ones. */
const MAX_ANNOUNCED = 4;

/** The options of {@link dial} in addition to the client's. */
export interface DialOptions extends Omit<NatsOptions, 'tls' | 'servers'> {
  tls?: TlsOptions | null | undefined;
  servers?: string | readonly string[] | undefined;
  /** Refuse a plain connection to anything but this machine. */
  requireTls?: boolean | undefined;
  /** The configured servers, if `servers` also has others, whose certificates contain the configured names. */
  configured?: readonly ServerUrl[] | undefined;
  /** Pauses before each attempt except the first, for any server, instead of the client's own delays. */
  pause?: ReconnectPause | undefined;
}

/**
 * @internal The only place where Zester connects: the client's `connect()`, plus what it lacks:
 *
 * - If the URLs, `tls` or `requireTls` require TLS, they do for every server and every connect.
 * - A failed attempt leaves no open socket, which would keep the process alive.
 * - If a server closes the connection before accepting it, the attempt fails with the server's own message.
 * - If a server is given by IP address, its certificate must be valid for that address.
 * - A DNS lookup has the timeout of an attempt at one address, and at most eight addresses are tried.
 * - The first connect tries each server once, and {@link MAX_ANNOUNCED} of the servers that they announce.
 * - The TLS files are read again at each attempt, with size limits.
 * - A server's data is read with size limits, and unreadable data ends the connection: see `boundParser`.
 * - If every server of a list fails, the error is the most specific one, not the last.
 *
 * @throws ConnectError for invalid options, before anything is sent; the client's errors, see `connectFailure`
 */
export async function dial(options: DialOptions): Promise<NatsConnection> {
  const { requireTls, configured, pause, tls: givenTls, ...client } = options;
  const plan = planConnection<ClientTls>({ servers: client.servers, tls: givenTls, requireTls });
  await checkTlsFiles(plan.tls);
  await installTransport();
  const all: ConnectionOptions = {
    ...client,
    servers: plan.urls,
    timeout: client.timeout ?? DIAL_TIMEOUT_MS,
    ...(plan.tls !== undefined && { tls: plan.tls }),
    ...(plan.ignoreClusterUpdates && { ignoreClusterUpdates: true }),
    ...(pause !== undefined && { reconnectDelayHandler: () => 0 }),
  };
  // the same as NatsConnectionImpl.connect(), with our own handler
  const nc = Reflect.construct(NatsConnectionImpl, [all]) as NatsConnectionImpl;
  const handler = new DialingHandler(nc.options, nc, configured ?? plan.servers, pause);
  await handler.dialLoop().catch((error: unknown) => {
    throw handler.reportedError(error);
  });
  nc.protocol = handler;
  return nc as NatsConnection;
}

/**
 * The client registers its Node.js transport only in its `connect()`. These options abort that call before it connects.
 */
async function installTransport(): Promise<void> {
  await connect({ servers: ['127.0.0.1'], port: 1 }).catch(() => undefined);
}

/** The part of the client's transport that is used here. */
interface SocketTransport extends Transport, PeekedTransport {
  options?: ConnectionOptions;
  peekInfo: () => Promise<unknown>;
}

/** A server of the client's list, which resolves its own addresses. */
type ListedServer = Parameters<ProtocolHandler['_doDial']>[0] & { gossiped?: boolean };

type ClientRequest = Parameters<ProtocolHandler['request']>[0];

class DialingHandler extends ProtocolHandler {
  readonly #given: ConnectionOptions;
  /** The configured servers, and the first name among them. */
  readonly #configured: ReadonlySet<string>;
  readonly #name: string | undefined;
  readonly #pause: ReconnectPause | undefined;
  #hasDialled = false;
  /** The server's message before it closed the connection of this attempt. */
  #serverError: Error | undefined;
  /** The most specific failure before the first connect. */
  #failure: unknown;
  /** The servers tried before the first connect, and how many of them were announced. */
  readonly #tried = new Set<string>();
  #announcedTried = 0;

  constructor(
    options: ConnectionOptions,
    nc: NatsConnectionImpl,
    configured: readonly ServerUrl[],
    pause: ReconnectPause | undefined,
  ) {
    super(options, nc);
    this.#given = options;
    this.#pause = pause;
    this.#configured = new Set(configured.map(({ host }) => host));
    this.#name = configured.find(({ host }) => isIP(host) === 0)?.host;
  }

  /** The error to report for a failed first connect. */
  reportedError(error: unknown): unknown {
    return moreSpecific(this.#failure, error);
  }

  override async _doDial(server: ListedServer): Promise<void> {
    // before the first connect, each server of the list is tried once, in order
    const isRetry = this.connectedOnce || (this.#hasDialled && this.options.waitOnFirstConnect === true);
    if (isRetry) await this.#waitBeforeRetry();
    // the client removes failed servers from its list, but other servers announce them again
    else if (!this.#shouldTry(server)) throw this.#failure;
    this.#hasDialled = true;
    try {
      await this.#dialServer(server);
      this.#pause?.connected();
    } catch (error) {
      if (isRetry) this.#pause?.failed();
      throw error;
    }
  }

  async #waitBeforeRetry(): Promise<void> {
    if (this.#pause === undefined) return;
    const pausing = this.#pause.begin();
    // the client cancels it when it is closed
    this.dialDelay = pausing;
    await pausing;
    if (this.isClosed()) throw new errors.ClosedConnectionError();
    this.#pause.over();
  }

  /** Whether to try a server before the first connect. Marks it as tried. */
  #shouldTry({ hostname, port, gossiped = false }: ListedServer): boolean {
    const address = `${hostname}:${port}`;
    if (gossiped && (this.#tried.has(address) || this.#announcedTried === MAX_ANNOUNCED)) return false;
    this.#tried.add(address);
    if (gossiped) this.#announcedTried += 1;
    return true;
  }

  /** A deliberate reconnect does not wait. */
  override reconnect(): Promise<void> {
    if (this.connected) this.#pause?.hurry();
    return super.reconnect();
  }

  async #dialServer(server: ListedServer): Promise<void> {
    const { timeout = DIAL_TIMEOUT_MS } = this.options;
    // the client calls no other method here
    const bounded: Pick<ListedServer, 'resolve'> = {
      resolve: async (options) => {
        const addresses = await withDeadline(server.resolve(options), Date.now() + timeout);
        if (addresses === undefined) {
          throw new errors.ConnectionError(`${server.hostname}: DNS timeout`);
        }
        return addresses.slice(0, MAX_ADDRESSES);
      },
    };
    try {
      await super._doDial(bounded as ListedServer).catch(async (error: unknown) => {
        // a refusing server may close before the client has sent everything, and the reset discards its message: retry
        if (this.connectedOnce || this.#serverError !== undefined || !closedWithoutReason(error)) throw error;
        await super._doDial(bounded as ListedServer);
      });
    } catch (error) {
      if (!this.connectedOnce) this.#failure = moreSpecific(this.#failure, error);
      throw error;
    }
    this.#failure = undefined;
  }

  override async dial(server: Server): Promise<void> {
    this.#serverError = undefined;
    await this.#readTlsFiles();
    const byAddress = isIP(server.hostname) !== 0 && server.tlsName === '';
    // a cluster announces addresses; their certificates are for the fleet's host name
    if (byAddress && this.#name !== undefined && !this.#configured.has(server.hostname)) {
      (server as { tlsName: string }).tlsName = this.#name;
    }
    let socket: Socket | undefined;
    const opened = (message: unknown) => (socket ??= (message as { socket: Socket }).socket);
    // the client creates the socket before its dial() returns a promise, but keeps it private until it is connected
    subscribe('net.client.socket', opened);
    let attempt: Promise<void>;
    try {
      attempt = super.dial(server);
    } finally {
      unsubscribe('net.client.socket', opened);
    }
    const transport = this.transport as SocketTransport;
    // the transport exists once there is a socket
    transport.peekInfo = () => peekInfo(transport);
    coalesceWrites(transport);
    // a socket that begins with TLS is created later, and is also private: Node.js closes it on a signal
    const ended = new AbortController();
    if (transport.options !== undefined && this.options.tls !== null) {
      const { tls } = this.options;
      const forNode = {
        ...tls,
        // without a name, Node.js checks the certificate for "localhost"
        ...(server.tlsName === '' && { host: server.hostname }),
        ...(tls?.handshakeFirst === true && { signal: ended.signal }),
      };
      transport.options = { ...transport.options, tls: forNode };
    }
    const [pong] = this.pongs;
    void transport.closed().then((cause) => {
      pong?.reject(this.#serverError ?? cause ?? new errors.ConnectionError(CLOSED));
    });
    try {
      await attempt;
      if (transport.isClosed) throw new errors.ConnectionError(CLOSED);
    } catch (error) {
      transport.discard();
      socket?.destroy();
      ended.abort();
      if (this.#serverError !== undefined) throw this.#serverError;
      throw this.#lacksCertificate()
        ? new errors.ConnectionError(CERTIFICATE_REQUIRED, { cause: error })
        : error;
    }
  }

  /** Gives the client the content of the files for this attempt, not their paths. */
  async #readTlsFiles(): Promise<void> {
    const { caFile, certFile, keyFile, ...tls } = this.#given.tls ?? {};
    if ((caFile ?? certFile ?? keyFile) === undefined) return;
    const files = await readTlsFiles({ caFile, certFile, keyFile });
    const read = Object.entries(files).filter(([, content]) => content !== undefined);
    this.options = { ...this.#given, tls: { ...tls, ...Object.fromEntries(read) } };
  }

  /** With TLS 1.3, a server reports a missing certificate only after the handshake, and only a reset arrives here. */
  #lacksCertificate(): boolean {
    const { tls_verify: required } = (this.info ?? {}) as { tls_verify?: boolean };
    const { certFile, cert } = this.options.tls ?? {};
    return required === true && certFile === undefined && cert === undefined;
  }

  /** The client creates a new parser at each connect. */
  override resetOutbound(): void {
    super.resetOutbound();
    boundParser(this.parser, {
      unreadable: (error) => this.#unreadable(error),
      parsed: (bytes) => readInTurns((this.transport as SocketTransport).socket, bytes),
    });
  }

  override request(request: ClientRequest): ClientRequest {
    shareCancelError(request);
    return super.request(request);
  }

  override processInfo(line: Uint8Array): void {
    readServerInfo(Buffer.from(line).toString());
    super.processInfo(line);
  }

  #unreadable(error: Error): void {
    this.dispatchStatus({ type: 'error', error });
    this.handleError(error);
    this.transport.disconnect();
  }

  override handleError(error: Error): void {
    this.#serverError ??= error;
    super.handleError(error);
  }

  /** Before the first connect there is nothing to reconnect: try the next server. */
  override async disconnected(error?: Error): Promise<void> {
    if (this.connectedOnce) await super.disconnected(error);
  }
}
