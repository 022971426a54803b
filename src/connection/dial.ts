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

/** How many addresses of one name are tried in an attempt: a DNS that lists thousands must not hold it up for hours. */
const MAX_ADDRESSES = 8;
/** How many of the servers that others announce are tried at the first connect: there may be other ones in each list. */
const MAX_ANNOUNCED = 4;

/** The options of {@link dial} besides the client's. */
export interface DialOptions extends Omit<NatsOptions, 'tls' | 'servers'> {
  tls?: TlsOptions | null | undefined;
  servers?: string | readonly string[] | undefined;
  /** Refuse a plain connection to anything but this machine. */
  requireTls?: boolean | undefined;
  /** The servers that were configured, where `servers` has others too: their names are in the others' certificates. */
  configured?: readonly ServerUrl[] | undefined;
  /** Pauses before each attempt but the first, whichever server it is at; the client waits as it does otherwise. */
  pause?: ReconnectPause | undefined;
}

/**
 * @internal The one place where Zester connects. It is the client's `connect()`, with what that lacks:
 *
 * - TLS is required where the URLs, `tls` or `requireTls` say so, of every server and at every connect.
 * - An attempt that failed leaves no open socket behind, which would keep the process alive.
 * - A server that ends the connection before it took it ends the attempt too, with the server's own words.
 * - The certificate of a server that is named by its address must be for that address.
 * - Looking up a name takes no longer than an attempt at an address, and eight of its addresses are tried.
 * - At the first connect, each server is tried once, and {@link MAX_ANNOUNCED} of those that they announce.
 * - The files for TLS are read again at each attempt, within bounds.
 * - What a server sends is read within bounds, and what cannot be read ends the connection: see `boundParser`.
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
  // what NatsConnectionImpl.connect() does, with a handler of our own
  const nc = Reflect.construct(NatsConnectionImpl, [all]) as NatsConnectionImpl;
  const handler = new DialingHandler(nc.options, nc, configured ?? plan.servers, pause);
  await handler.dialLoop().catch((error: unknown) => {
    throw handler.told(error);
  });
  nc.protocol = handler;
  return nc as NatsConnection;
}

/** The client makes its transport for Node.js known in its `connect()` only. These options end it before it connects. */
async function installTransport(): Promise<void> {
  await connect({ servers: ['127.0.0.1'], port: 1 }).catch(() => undefined);
}

/** The client's transport, as far as it is used here. */
interface SocketTransport extends Transport, PeekedTransport {
  options?: ConnectionOptions;
  peekInfo: () => Promise<unknown>;
}

/** A server of the client's list, which looks its own addresses up. */
type ListedServer = Parameters<ProtocolHandler['_doDial']>[0] & { gossiped?: boolean };

class DialingHandler extends ProtocolHandler {
  readonly #given: ConnectionOptions;
  /** The servers that were configured, and the first name among them. */
  readonly #configured: ReadonlySet<string>;
  readonly #name: string | undefined;
  readonly #pause: ReconnectPause | undefined;
  #hasDialled = false;
  /** What the server of this attempt said before it ended the connection. */
  #said: Error | undefined;
  /** The most telling failure before the first connect. */
  #telling: unknown;
  /** The servers that were tried before it, and how many of them had been announced. */
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

  /** Which error to report when the first connect failed with `error`. */
  told(error: unknown): unknown {
    return moreTelling(this.#telling, error);
  }

  override async _doDial(server: ListedServer): Promise<void> {
    // before the first connect, the servers of the list are tried one after the other, once each
    const isAgain = this.connectedOnce || (this.#hasDialled && this.options.waitOnFirstConnect === true);
    if (isAgain) await this.#rest();
    // the client takes each server that failed from its list, and the next one announces it again
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

  /** Whether a server is tried before the first connect; it counts as tried from now on. */
  #isWorthATry({ hostname, port, gossiped = false }: ListedServer): boolean {
    const address = `${hostname}:${port}`;
    if (gossiped && (this.#tried.has(address) || this.#announcedTried === MAX_ANNOUNCED)) return false;
    this.#tried.add(address);
    if (gossiped) this.#announcedTried += 1;
    return true;
  }

  /** On purpose: nothing is to be waited for. */
  override reconnect(): Promise<void> {
    if (this.connected) this.#pause?.hurry();
    return super.reconnect();
  }

  async #dialServer(server: ListedServer): Promise<void> {
    const { timeout = DIAL_TIMEOUT_MS } = this.options;
    // all that the client asks of it here
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
        // a server that refuses may close before this side has sent all, and the reset takes its words with it: ask again
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
    // a cluster announces addresses; their certificates are for the name that the fleet is known by
    if (byAddress && this.#name !== undefined && !this.#configured.has(server.hostname)) {
      (server as { tlsName: string }).tlsName = this.#name;
    }
    let socket: Socket | undefined;
    const opened = (message: unknown) => (socket ??= (message as { socket: Socket }).socket);
    // the client makes the socket before its dial() gives a promise, and keeps it to itself until it is connected
    subscribe('net.client.socket', opened);
    let attempt: Promise<void>;
    try {
      attempt = super.dial(server);
    } finally {
      unsubscribe('net.client.socket', opened);
    }
    const transport = this.transport as SocketTransport;
    // asked for once there is a socket
    transport.peekInfo = () => peekInfo(transport);
    // a socket that begins with TLS is made later, and the client keeps it to itself too: Node.js ends it on a signal
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

  /** The client has their content for this attempt, and not their paths. */
  async #readTlsFiles(): Promise<void> {
    const { caFile, certFile, keyFile, ...tls } = this.#given.tls ?? {};
    if ((caFile ?? certFile ?? keyFile) === undefined) return;
    const files = await readTlsFiles({ caFile, certFile, keyFile });
    const read = Object.entries(files).filter(([, content]) => content !== undefined);
    this.options = { ...this.#given, tls: { ...tls, ...Object.fromEntries(read) } };
  }

  /** With TLS 1.3 the server says so only after the handshake, and what comes through of it is a reset. */
  #lacksCertificate(): boolean {
    const { tls_verify: wanted } = (this.info ?? {}) as { tls_verify?: boolean };
    const { certFile, cert } = this.options.tls ?? {};
    return wanted === true && certFile === undefined && cert === undefined;
  }

  /** It has a new parser then. */
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

  /** Before the first connect there is nothing to reconnect: the next server is tried. */
  override async disconnected(error?: Error): Promise<void> {
    if (this.connectedOnce) await super.disconnected(error);
  }
}
