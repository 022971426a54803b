// Serves /metrics and /healthz of a master.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Coalescer } from '../async/coalesce.js';
import { isOwnOrigin } from '../http/judge-origin.js';
import { sendText, serveHttp, type HttpServer } from '../http/serve.js';
import { contextOf } from './context-of.js';
import type { MasterHealth } from './master-health.js';
import type { Master } from './master.js';
import { errorMessage } from '../text/error-message.js';
import { HEALTH_STORE_TIMEOUT_MS } from '../timing.js';

/** The HTTP server for a master's metrics and health. */
export type MasterHttp = HttpServer;

/**
 * Serves a master's `/metrics` (Prometheus) and `/healthz`: a JSON document, with status 200 when it is connected
 * and the registry answers, else 503. There is no authentication: bind it to this machine or to a trusted network. A
 * request whose `Host` is neither an address nor a name of this machine (`localhost`, its host name, `host`) gets 421:
 * it may come from a web page whose name was made to point here (DNS rebinding). A cross-site browser request gets 403.
 *
 * @param port 0: any free port
 * @throws FleetError `ERR_FLEET_CONFIG` when it cannot listen there
 */
export async function serveMasterHttp(
  master: Pick<Master, 'health' | 'metricsText' | 'id'>,
  { host, port }: { host: string; port: number },
): Promise<MasterHttp> {
  // coalesced: a flood of requests costs JetStream no more than one client that polls
  const coalesced = {
    health: new Coalescer(() => healthOf(master)),
    metrics: new Coalescer(() => master.metricsText()),
  };
  return serveHttp({ host, port, what: 'metrics', maxConnections: 64 }, (request, response) => {
    // one request per connection: data that a client sends after the answer is not read
    response.shouldKeepAlive = false;
    if (!isOwnOrigin(request.headers)) {
      sendText(response, 403, 'text/plain', 'cross-site requests are not allowed\n');
      return Promise.resolve();
    }
    return answer(master, coalesced, request, response);
  });
}

async function answer(
  master: Pick<Master, 'id'>,
  coalesced: { health: Coalescer<MasterHealth>; metrics: Coalescer<string> },
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') return sendText(response, 405, 'text/plain', 'only GET\n');
  switch (url.split('?', 1)[0]) {
    case '/metrics': {
      const { registry } = contextOf(master).metrics;
      return sendText(response, 200, registry.contentType, await coalesced.metrics.run());
    }
    case '/healthz': {
      const { ok, problems } = await coalesced.health.run();
      const document = { ok, problems, master: master.id, peels: contextOf(master).registry.size };
      return sendText(response, ok ? 200 : 503, 'application/json', `${JSON.stringify(document)}\n`);
    }
    default:
      return sendText(response, 404, 'text/plain', 'available: /metrics and /healthz\n');
  }
}

/** The master's own health, and whether the registry answers. */
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
