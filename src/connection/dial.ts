// Opens one connection of the NATS client, with TLS rules and time limits.
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
import { boundParser, peekInfo, type PeekedTransport } from './bounded-reading.js';
import { checkTlsFiles, readTlsFiles } from './check-tls-files.js';
import { CLOSED, endedWithoutWords, CERTIFICATE_WANTED } from './connect-failure.js';
import { planConnection, type ClientTls, type TlsOptions } from './connect-plan.js';
import type { ReconnectPause } from './reconnect-pause.js';
import { readServerInfo } from './server-info.js';
import type { ServerUrl } from './server-urls.js';
import { moreTelling } from './telling-failure.js';
import { withDeadline } from '../async/deadline.js';
import { DIAL_TIMEOUT_MS } from '../timing.js';

/** Addresses of one name that an attempt tries: a DNS name with thousands of addresses must not delay it for hours. */
const MAX_ADDRESSES = 8;
/** Announced servers that the first connect tries: each list may contain new ones. */
const MAX_ANNOUNCED = 4;

/** The options of {@link dial} in addition to the client's. */
export interface DialOptions extends Omit<NatsOptions, 'tls' | 'servers'> {
  tls?: TlsOptions | null | undefined;
  servers?: string | readonly string[] | undefined;
  /** Refuse a plain connection to anything but this machine. */
  requireTls?: boolean | undefined;
  /** The configured servers, if `servers` has others too: their names are in the others' certificates. */
  configured?: readonly ServerUrl[] | undefined;
  /** Pauses before each attempt except the first, for any server, in addition to the client's own waits. */
  pause?: ReconnectPause | undefined;
}

/**
 * @internal The only place where Zester connects: the client's `connect()`, plus what it lacks:
 *
 * - TLS is required if the URLs, `tls` or `requireTls` say so, for every server and every connect.
 * - A failed attempt leaves no open socket, which would keep the process alive.
 * - A server that closes the connection before accepting it ends the attempt too, with the server's own message.
 * - If a server is given by IP address, its certificate must be valid for that address.
 * - A DNS lookup takes no longer than an attempt at an address, and eight addresses are tried.
 * - At the first connect, each server is tried once, and {@link MAX_ANNOUNCED} of those that they announce.
 * - The files for TLS are read again at each attempt, within bounds.
 * - A server's data is read within bounds, and unreadable data ends the connection: see `boundParser`.
 * - When every server of a list failed, the error is the most telling one, not the last.
 *
 * @throws ConnectError of the options, before anything is sent; the client's errors, see `connectFailure`
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
    throw handler.told(error);
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

class DialingHandler extends ProtocolHandler {
  readonly #given: ConnectionOptions;
  /** The configured servers, and the first name among them. */
  readonly #configured: ReadonlySet<string>;
  readonly #name: string | undefined;
  readonly #pause: ReconnectPause | undefined;
  #hasDialled = false;
  /** The server's message before it closed the connection of this attempt. */
  #said: Error | undefined;
  /** The most telling failure before the first connect. */
  #telling: unknown;
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

  /** The error to report if the first connect failed with `error`. */
  told(error: unknown): unknown {
    return moreTelling(this.#telling, error);
  }

  override async _doDial(server: ListedServer): Promise<void> {
    // before the first connect, each server of the list is tried once, in order
    const isAgain = this.connectedOnce || (this.#hasDialled && this.options.waitOnFirstConnect === true);
    if (isAgain) await this.#rest();
    // the client removes each failed server from its list, and the next one announces it again
    else if (!this.#isWorthATry(server)) throw this.#telling;
    this.#hasDialled = true;
    try {
      await this.#dialServer(server);
      this.#pause?.connected();
    } catch (error) {
      if (isAgain) this.#pause?.failed();
      throw error;
    }
  }

  async #rest(): Promise<void> {
    if (this.#pause === undefined) return;
    const pausing = this.#pause.begin();
    // the client cancels it when it is closed
    this.dialDelay = pausing;
    await pausing;
    if (this.isClosed()) throw new errors.ClosedConnectionError();
    this.#pause.over();
  }

  /** Whether to try a server before the first connect; it counts as tried from now on. */
  #isWorthATry({ hostname, port, gossiped = false }: ListedServer): boolean {
    const address = `${hostname}:${port}`;
    if (gossiped && (this.#tried.has(address) || this.#announcedTried === MAX_ANNOUNCED)) return false;
    this.#tried.add(address);
    if (gossiped) this.#announcedTried += 1;
    return true;
  }

  /** On purpose: do not wait. */
  override reconnect(): Promise<void> {
    if (this.connected) this.#pause?.hurry();
    return super.reconnect();
  }

  async #dialServer(server: ListedServer): Promise<void> {
    const { timeout = DIAL_TIMEOUT_MS } = this.options;
    // the only method that the client uses here
    const bounded: Pick<ListedServer, 'resolve'> = {
      resolve: async (options) => {
        const addresses = await withDeadline(server.resolve(options), Date.now() + timeout);
        if (addresses === undefined) {
          throw new errors.ConnectionError(`${server.hostname}: no answer from the DNS`);
        }
        return addresses.slice(0, MAX_ADDRESSES);
      },
    };
    try {
      await super._doDial(bounded as ListedServer).catch(async (error: unknown) => {
        // a refusing server may close before this side has sent everything, and the reset discards its message: try
        // again
        if (this.connectedOnce || this.#said !== undefined || !endedWithoutWords(error)) throw error;
        await super._doDial(bounded as ListedServer);
      });
    } catch (error) {
      if (!this.connectedOnce) this.#telling = moreTelling(this.#telling, error);
      throw error;
    }
    this.#telling = undefined;
  }

  override async dial(server: Server): Promise<void> {
    this.#said = undefined;
    await this.#readTlsFiles();
    const byAddress = isIP(server.hostname) !== 0 && server.tlsName === '';
    // a cluster announces addresses; their certificates are for the fleet's host name
    if (byAddress && this.#name !== undefined && !this.#configured.has(server.hostname)) {
      (server as { tlsName: string }).tlsName = this.#name;
    }
    let socket: Socket | undefined;
    const opened = (message: unknown) => (socket ??= (message as { socket: Socket }).socket);
    // the client creates the socket before its dial() returns a promise, and keeps it private until it is connected
    subscribe('net.client.socket', opened);
    let attempt: Promise<void>;
    try {
      attempt = super.dial(server);
    } finally {
      unsubscribe('net.client.socket', opened);
    }
    const transport = this.transport as SocketTransport;
    // available once there is a socket
    transport.peekInfo = () => peekInfo(transport);
    // a socket that begins with TLS is created later, and is private too: Node.js closes it on a signal
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
      pong?.reject(this.#said ?? cause ?? new errors.ConnectionError(CLOSED));
    });
    try {
      await attempt;
      if (transport.isClosed) throw new errors.ConnectionError(CLOSED);
    } catch (error) {
      transport.discard();
      socket?.destroy();
      ended.abort();
      if (this.#said !== undefined) throw this.#said;
      throw this.#lacksCertificate()
        ? new errors.ConnectionError(CERTIFICATE_WANTED, { cause: error })
        : error;
    }
  }

  /** The client gets the content of the files for this attempt, not their paths. */
  async #readTlsFiles(): Promise<void> {
    const { caFile, certFile, keyFile, ...tls } = this.#given.tls ?? {};
    if ((caFile ?? certFile ?? keyFile) === undefined) return;
    const files = await readTlsFiles({ caFile, certFile, keyFile });
    const read = Object.entries(files).filter(([, content]) => content !== undefined);
    this.options = { ...this.#given, tls: { ...tls, ...Object.fromEntries(read) } };
  }

  /** With TLS 1.3 the server reports it only after the handshake, and only a reset arrives here. */
  #lacksCertificate(): boolean {
    const { tls_verify: wanted } = (this.info ?? {}) as { tls_verify?: boolean };
    const { certFile, cert } = this.options.tls ?? {};
    return wanted === true && certFile === undefined && cert === undefined;
  }

  /** It has a new parser after each connect. */
  override resetOutbound(): void {
    super.resetOutbound();
    boundParser(this.parser, (error) => this.#unreadable(error));
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
    this.#said ??= error;
    super.handleError(error);
  }

  /** Before the first connect there is nothing to reconnect: try the next server. */
  override async disconnected(error?: Error): Promise<void> {
    if (this.connectedOnce) await super.disconnected(error);
  }
}
