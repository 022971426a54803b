// serveHttp: an HTTP listener that checks the `Host` header.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { FleetError } from '../errors.js';
import { HTTP_CHECK_INTERVAL_MS, HTTP_REQUEST_TIMEOUT_MS } from '../timing.js';
import { isAllowedHost } from './allowed-host.js';

/** The limit for all headers of a request together. */
const HTTP_MAX_HEADER_BYTES = 8 * 1024;

/** The options of {@link serveHttp}. */
export interface ServeHttpOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  /** The content, for error messages: "metrics". */
  what: string;
  /** Maximum number of concurrent connections. */
  maxConnections: number;
}

/** A listening server. */
export interface HttpServer {
  /** Such as `http://127.0.0.1:9464`. */
  readonly url: string;
  /** Stops listening, and cuts every connection. */
  close(): Promise<void>;
}

/**
 * Serves HTTP. A request whose `Host` is neither an address nor a name of this machine (`localhost`, its host name, `host`)
 * gets 421, to prevent DNS rebinding. A request that fails unexpectedly gets 500, without details of the error.
 *
 * @throws FleetError `ERR_FLEET_CONFIG` when it cannot listen there
 */
export async function serveHttp(
  { host, port, what, maxConnections }: ServeHttpOptions,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<HttpServer> {
  const names = [host, hostname()];
  const limits = {
    maxHeaderSize: HTTP_MAX_HEADER_BYTES,
    connectionsCheckingInterval: HTTP_CHECK_INTERVAL_MS,
  };
  let open = 0;
  const server = createServer(limits, (request, response) => {
    // when connections become scarce, none is kept for a next request that may not come
    if (open > maxConnections / 2) response.shouldKeepAlive = false;
    if (!isAllowedHost(request.headers.host, names))
      return sendText(response, 421, 'text/plain', 'unknown host name\n');
    void answer(request, response).catch(() => sendText(response, 500, 'text/plain', 'failed\n'));
  });
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => (open -= 1));
  });
  server.requestTimeout = HTTP_REQUEST_TIMEOUT_MS;
  server.headersTimeout = HTTP_REQUEST_TIMEOUT_MS;
  server.maxConnections = maxConnections;
  await listening(server, { host, port, what });
  const { address, port: bound, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Sends an uncacheable text. If a response has already been started, only ends it. */
export function sendText(response: ServerResponse, status: number, type: string, body: string): void {
  if (response.headersSent) return void response.end();
  const guarded = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  response.writeHead(status, { 'content-type': type, ...guarded });
  response.end(body);
}

function listening(
  server: Server,
  { host, port, what }: Pick<ServeHttpOptions, 'host' | 'port' | 'what'>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new FleetError('ERR_FLEET_CONFIG', `cannot listen on ${host}:${port} for ${what} (${cause.code})`, {
          cause,
        }),
      );
    });
    server.listen(port, host, () => resolve());
  });
}
