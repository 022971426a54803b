// Serves /metrics and /healthz of a master.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendText, serveHttp, type HttpServer } from '../http/serve.js';
import { contextOf } from './context-of.js';
import type { MasterHealth } from './master-health.js';
import type { Master } from './master.js';
import { errorMessage } from '../text/error-message.js';
import { HEALTH_STORE_TIMEOUT_MS } from '../timing.js';

/** Where a master tells how it is. */
export type MasterHttp = HttpServer;

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
  return serveHttp({ host, port, what: 'metrics', maxConnections: 64 }, (request, response) =>
    answer(master, request, response),
  );
}

async function answer(
  master: Pick<Master, 'health' | 'metricsText' | 'id'>,
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') return sendText(response, 405, 'text/plain', 'only GET\n');
  switch (url.split('?', 1)[0]) {
    case '/metrics': {
      const { registry } = contextOf(master).metrics;
      return sendText(response, 200, registry.contentType, await master.metricsText());
    }
    case '/healthz': {
      const { ok, problems } = await healthOf(master);
      const document = { ok, problems, master: master.id, peels: contextOf(master).registry.size };
      return sendText(response, ok ? 200 : 503, 'application/json', `${JSON.stringify(document)}\n`);
    }
    default:
      return sendText(response, 404, 'text/plain', 'available: /metrics and /healthz\n');
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
