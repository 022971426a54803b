// Serves /metrics and /healthz of a master.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { FleetError } from '../errors.js';
import { isAllowedHost } from './allowed-host.js';
import { contextOf } from './context-of.js';
import type { MasterHealth } from './master-health.js';
import type { Master } from './master.js';
import { errorMessage } from '../text/error-message.js';
import { HEALTH_STORE_TIMEOUT_MS, HTTP_REQUEST_TIMEOUT_MS } from '../timing.js';

/** Where a master tells how it is. */
export interface MasterHttp {
  /** Such as `http://127.0.0.1:9464`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves a master's `/metrics` (Prometheus) and `/healthz`: 200 when it is connected and the registry answers, else 503;
 * both with a JSON document. There is no password: it is for this machine, or a network that may know. A request whose
 * `Host` is neither an address nor a name of this machine (`localhost`, its host name, `host`) gets 421: it may come from
 * a web page that was made to point here.
 *
 * @param port 0: any that is free
 * @throws FleetError `ERR_FLEET_CONFIG` when it cannot listen there
 */
export async function serveMasterHttp(
  master: Pick<Master, 'health' | 'metricsText' | 'id'>,
  { host, port }: { host: string; port: number },
): Promise<MasterHttp> {
  const server = createServer((request, response) => {
    if (!isAllowedHost(request.headers.host, [host, hostname()])) {
      return send(response, 421, 'text/plain', 'unknown host name\n');
    }
    void answer(master, request, response).catch(() => send(response, 500, 'text/plain', 'failed\n'));
  });
  server.requestTimeout = HTTP_REQUEST_TIMEOUT_MS;
  server.headersTimeout = HTTP_REQUEST_TIMEOUT_MS;
  server.maxConnections = 64;
  await listening(server, host, port);
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

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new FleetError('ERR_FLEET_CONFIG', `cannot listen on ${host}:${port} for metrics (${cause.code})`, {
          cause,
        }),
      );
    });
    server.listen(port, host, () => resolve());
  });
}

async function answer(
  master: Pick<Master, 'health' | 'metricsText' | 'id'>,
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') return send(response, 405, 'text/plain', 'only GET\n');
  switch (url.split('?', 1)[0]) {
    case '/metrics': {
      const { registry } = contextOf(master).metrics;
      return send(response, 200, registry.contentType, await master.metricsText());
    }
    case '/healthz': {
      const { ok, problems } = await healthOf(master);
      const document = { ok, problems, master: master.id, peels: contextOf(master).registry.size };
      return send(response, ok ? 200 : 503, 'application/json', `${JSON.stringify(document)}\n`);
    }
    default:
      return send(response, 404, 'text/plain', 'available: /metrics and /healthz\n');
  }
}

/** Its own word, and whether the registry answers. */
async function healthOf(master: Pick<Master, 'health' | 'id'>): Promise<MasterHealth> {
  const { problems } = master.health();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(
      () => resolve(`the registry does not answer within ${HEALTH_STORE_TIMEOUT_MS / 1000} s`),
      HEALTH_STORE_TIMEOUT_MS,
    );
  });
  const store = contextOf(master)
    .store.peels.status()
    .then(
      () => undefined,
      (error: unknown) => `the registry cannot be read: ${errorMessage(error)}`,
    );
  const problem = await Promise.race([store, late]);
  clearTimeout(timer);
  const all = problem === undefined ? problems : [...problems, problem];
  return { ok: all.length === 0, problems: all };
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}
