// serveApi: serves the HTTP interface, and optionally the page.
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as v from 'valibot';
import { ApiError, FleetError } from '../../errors.js';
import { serveHttp, type HttpServer } from '../../http/serve.js';
import type { Fleet } from '../../fleet-client/fleet.js';
import type { AdminRole } from '../../permissions/admin-roles.js';
import { RateLimit } from '../../master/requests/rate-limit.js';
import { FairQueue } from '../../master/requests/fair-queue.js';
import { limitedLogger, type LimitedLogger, type MasterLogger } from '../../master/logger.js';
import { issueText } from '../../protocol/messages.js';
import { errorMessage } from '../../text/error-message.js';
import { withoutWholeSeeds } from '../../text/whole-seeds.js';
import { HTTP_ANSWER_TIMEOUT_MS, UI_SESSION_LIFETIME_MS } from '../../timing.js';
import { authenticate, cookieOf, type Authenticators } from './authenticate.js';
import { requireRole, type Caller } from './caller.js';
import { sendEvents } from './event-stream.js';
import { httpErrorOf } from './http-errors.js';
import { isOwnOrigin } from '../../http/judge-origin.js';
import { matchRoute } from './match-route.js';
import type { Json } from './openapi.js';
import type { PageFile } from './page-files.js';
import { readBody } from './read-body.js';
import type { AnyRoute, ApiContext } from './route.js';
import { ROUTES } from './routes.js';
import { bodies, queries } from './schemas.js';
import { Sessions } from './sessions.js';
import { ApiTokens } from './token-store.js';

/** The options of {@link serveApi}. */
export interface ServeApiOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  context: ApiContext;
  role: Authenticators['role'];
  /** The home whose tokens are accepted; undefined: none. */
  tokensOf: string | undefined;
  /** The page; undefined: the interface only. */
  page: ReadonlyMap<string, PageFile> | undefined;
  log: MasterLogger;
}

/** The running interface. */
export interface RunningApi extends HttpServer {
  /** Returns a new one-time link to the page. */
  newLink(): string;
}

const PREFIX = '/api/v1';
const MAX_CONNECTIONS = 256;
const MAX_STREAMS = 64;
/** Of one caller: a token that leaked must not keep the others from theirs. */
const MAX_STREAMS_PER_CALLER = 16;
/** For each caller. */
const RATE = { perSecond: 50, burst: 500 };
/** Answers that are made at the same time. A caller that asks for all peels again and again delays others by one of them. */
const ANSWERS = { running: 64, runningPerCaller: 8, waiting: 1_024, waitingPerCaller: 500 };
/**
 * The shared limit of unauthenticated callers: 256 random bits cannot be guessed, but attempts must not slow down
 * others.
 */
const UNKNOWN_RATE = { perSecond: 5, burst: 20 };

const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': CONTENT_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
} as const;

/**
 * Serves the HTTP interface, and the page.
 *
 * @throws FleetError `ERR_FLEET_CONFIG` when it cannot listen there
 */
export async function serveApi(options: ServeApiOptions): Promise<RunningApi> {
  const { host, port, page } = options;
  const api = new Api(options);
  const server = await serveHttp(
    {
      host,
      port,
      what: page === undefined ? 'the HTTP interface' : 'the page',
      maxConnections: MAX_CONNECTIONS,
    },
    (request, response) => api.answer(request, response),
  );
  api.port = Number(new URL(server.url).port);
  return {
    url: server.url,
    newLink: () => `${server.url}/#key=${api.newLinkKey()}`,
    close: async () => {
      await server.close();
      api.close();
    },
  };
}

/** Answers the requests to the HTTP interface and the page. */
export class Api {
  /** Cookies ignore the port: the name distinguishes several pages on one machine. */
  port = 0;
  readonly #options: ServeApiOptions;
  readonly #sessions: Sessions;
  readonly #tokens: ApiTokens;
  readonly #rate = new RateLimit(RATE);
  readonly #unknownRate = new RateLimit(UNKNOWN_RATE);
  readonly #answers = new FairQueue(ANSWERS);
  readonly #fleets = new Map<AdminRole, Fleet>();
  readonly #log: LimitedLogger;
  /** Event streams, by caller. */
  readonly #streams = new Map<string, number>();
  /** Made once, since that takes long. */
  #document: Promise<Json> | undefined;

  constructor(options: ServeApiOptions) {
    this.#options = options;
    this.#log = limitedLogger(options.log);
    const { now } = options.context;
    this.#sessions = new Sessions(now);
    this.#tokens = new ApiTokens(options.tokensOf, now);
  }

  close(): void {
    this.#log.close();
  }

  newLinkKey(): string {
    return this.#sessions.newLinkKey();
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    try {
      if (path === PREFIX || path.startsWith(`${PREFIX}/`)) {
        await this.#answerApi(request, response, path.slice(PREFIX.length));
      } else this.#sendPage(request, response, path);
    } catch (error) {
      const { status, document } = httpErrorOf(error);
      if (status === 500) this.#log.error({ path, reason: errorMessage(error) }, 'a request failed');
      if (status === 401) response.setHeader('www-authenticate', 'Bearer');
      if (status === 429) response.setHeader('retry-after', '1');
      // the unread rest of a body would be parsed as the next request
      if (!request.complete) response.setHeader('connection', 'close');
      sendJson(response, status, document);
    }
  }

  #sendPage({ method, headers }: IncomingMessage, response: ServerResponse, path: string): void {
    const file = this.#options.page?.get(path);
    if (file === undefined) throw new ApiError('ERR_API_NOT_FOUND', 'no such page');
    if (method !== 'GET' && method !== 'HEAD')
      throw new ApiError('ERR_API_METHOD', 'the page supports only GET');
    const zipped = /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
    response.writeHead(200, { 'content-type': file.type, ...(zipped && { 'content-encoding': 'gzip' }) });
    response.end(method === 'HEAD' ? undefined : zipped ? file.gzipped : file.body);
  }

  async #answerApi(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const { method = 'GET', headers } = request;
    const foreign = () => new ApiError('ERR_API_ORIGIN', 'cross-site requests are not allowed');
    if (!isOwnOrigin(headers)) throw foreign();
    if (path === '/session' && method === 'POST') return this.#signIn(request, response);
    const caller = await this.#callerOf(request);
    // a browser adds the cookie to cross-site requests too, but sends the origin with requests that change something
    if (caller.kind === 'session' && method !== 'GET' && headers.origin === undefined) throw foreign();
    switch (path) {
      case '/events':
        return this.#stream(request, response, caller);
      case '/openapi.json': {
        return sendJson(response, 200, await (this.#document ??= this.#openApi()));
      }
      case '/session':
        if (method === 'DELETE') return this.#signOut(request, response);
    }
    const { route, id } = matchRoute(ROUTES, method, path);
    requireRole(caller, route.role);
    await this.#inTurn(caller, response, async () => {
      const answer = await this.#run(route, { request, response, id, caller });
      if (method !== 'GET') this.#log.info({ caller: keyOf(caller), method, path }, 'done over HTTP');
      sendJson(response, 200, answer);
    });
  }

  async #openApi(): Promise<Json> {
    const { openApiDocument } = await import('./openapi.js');
    return openApiDocument(ROUTES, this.#options.context.version);
  }

  /**
   * Answers when it is the caller's turn. An answer that its client does not read counts as long as it is in memory.
   *
   * @throws FleetError `ERR_FLEET_RATE` when too many of its requests wait
   */
  #inTurn(caller: Caller, response: ServerResponse, answer: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const isTaken = this.#answers.add(keyOf(caller), async () => {
        try {
          // the caller left while it waited
          if (response.destroyed) return resolve();
          await answer();
          resolve();
          await read(response);
        } catch (error) {
          reject(error as Error);
        }
      });
      if (!isTaken) reject(tooMany());
    });
  }

  async #run(
    route: AnyRoute,
    {
      request,
      response,
      id,
      caller,
    }: { request: IncomingMessage; response: ServerResponse; id: string; caller: Caller },
  ): Promise<object> {
    const query = parsed(route.query ?? v.strictObject({}), queryOf(request), 'query');
    const body = route.body === undefined ? undefined : parsed(route.body, await readBody(request), 'body');
    const left = new AbortController();
    const leave = () => left.abort(new FleetError('ERR_FLEET_NOT_CONNECTED', 'the caller disconnected'));
    if (response.destroyed) leave();
    else response.once('close', leave);
    const given = { id, query, body, caller, signal: left.signal };
    const context = { ...this.#options.context, fleet: this.#fleetOf(caller) };
    return route.run(context, given as Parameters<AnyRoute['run']>[1]);
  }

  /** The fleet, as far as the caller's role goes: masters know only the admin's. */
  #fleetOf({ role }: Caller): Fleet {
    const { fleet } = this.#options.context;
    if (role === 'owner') return fleet;
    const known = this.#fleets.get(role) ?? fleet.actingAs(role);
    this.#fleets.set(role, known);
    return known;
  }

  /** Counts the request against the caller's rate. @throws ApiError `ERR_API_AUTH`; FleetError `ERR_FLEET_RATE` */
  async #callerOf(request: IncomingMessage): Promise<Caller> {
    try {
      const caller = await this.#authenticate(request);
      if (this.#rate.take(keyOf(caller)) === 'pass') return caller;
      throw tooMany();
    } catch (error) {
      throw this.#limit('ask', error);
    }
  }

  /** @throws ApiError `ERR_API_AUTH` */
  #authenticate({ headers }: IncomingMessage): Promise<Caller> {
    const { page, role } = this.#options;
    return authenticate(headers, {
      sessions: page === undefined ? undefined : this.#sessions,
      cookieName: this.#cookieName,
      tokens: this.#tokens,
      role,
    });
  }

  #limited<T>(what: string, act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw this.#limit(what, error);
    }
  }

  /** Counts an unknown caller. @returns its error */
  #limit(what: string, error: unknown): unknown {
    return error instanceof ApiError && this.#unknownRate.take(what) !== 'pass' ? tooMany() : error;
  }

  async #signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#options.page === undefined) throw new ApiError('ERR_API_NOT_FOUND', 'no page is served here');
    const { key } = parsed(bodies.session, await readBody(request), 'body');
    const session = this.#limited('sign in', () => this.#sessions.open(key));
    response.setHeader('set-cookie', this.#cookie(session, Math.floor(UI_SESSION_LIFETIME_MS / 1000)));
    sendJson(response, 200, {});
  }

  #signOut({ headers }: IncomingMessage, response: ServerResponse): void {
    this.#sessions.close(cookieOf(headers.cookie, this.#cookieName) ?? '');
    response.setHeader('set-cookie', this.#cookie('', 0));
    sendJson(response, 200, {});
  }

  get #cookieName(): string {
    return `zester_${this.port}`;
  }

  #cookie(value: string, seconds: number): string {
    return `${this.#cookieName}=${value}; HttpOnly; SameSite=Strict; Path=${PREFIX}; Max-Age=${seconds}`;
  }

  async #stream(request: IncomingMessage, response: ServerResponse, caller: Caller): Promise<void> {
    if (request.method !== 'GET') throw new ApiError('ERR_API_METHOD', 'this resource supports only GET');
    requireRole(caller, 'viewer');
    const given = parsed(queries.events, queryOf(request), 'query');
    const last = request.headers['last-event-id'];
    const since = typeof last === 'string' && last !== '' ? last : given.since;
    const { live } = this.#options.context;
    await live.ready();
    // the caller disconnected meanwhile: the response emits no further `close`
    if (response.destroyed) return;
    const key = keyOf(caller);
    const own = this.#streams.get(key) ?? 0;
    const all = [...this.#streams.values()].reduce((sum, count) => sum + count, 0);
    if (all >= MAX_STREAMS || own >= MAX_STREAMS_PER_CALLER) throw tooMany();
    this.#streams.set(key, own + 1);
    response.once('close', () => {
      const left = (this.#streams.get(key) ?? 1) - 1;
      if (left === 0) this.#streams.delete(key);
      else this.#streams.set(key, left);
    });
    sendEvents(live, response, {
      since,
      // stop when the token is removed or the session ends; this is no request of the caller
      isAllowed: () =>
        this.#authenticate(request).then(
          () => true,
          () => false,
        ),
    });
  }
}

function keyOf({ kind, name }: Caller): string {
  return `${kind} ${name}`;
}

/** Waits until the client has read the answer, or has left. One that takes too long is disconnected. */
async function read(response: ServerResponse): Promise<void> {
  if (response.writableFinished || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const late = setTimeout(() => response.destroy(), HTTP_ANSWER_TIMEOUT_MS).unref();
    const end = () => {
      clearTimeout(late);
      resolve();
    };
    response.once('finish', end);
    response.once('close', end);
  });
}

function tooMany(): FleetError {
  return new FleetError('ERR_FLEET_RATE', 'too many requests: try again in a second');
}

/** @throws ApiError `ERR_API_REQUEST` */
function parsed<S extends v.GenericSchema>(schema: S, given: unknown, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, given);
  if (result.success) return result.output;
  throw new ApiError('ERR_API_REQUEST', `the ${what} is invalid: ${issueText(result.issues)}`);
}

/** The query of a URL. Refuses duplicate names as ambiguous. */
function queryOf({ url = '' }: IncomingMessage): Record<string, string> {
  const [, text = ''] = /\?([^#]*)/.exec(url) ?? [];
  // without a prototype, every name is one of its own
  const query = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(text)) {
    if (Object.hasOwn(query, name)) throw new ApiError('ERR_API_REQUEST', 'the query has a duplicate name');
    query[name] = value;
  }
  return query;
}

/** Redacts seeds in every answer, whatever a record or a peel contains. */
function sendJson(response: ServerResponse, status: number, document: object): void {
  if (response.headersSent) return void response.end();
  const text = withoutWholeSeeds(JSON.stringify(document));
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(`${text}\n`);
}
