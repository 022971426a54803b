import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveFleet } from '../../../src/cli/api/live-fleet.js';
import { Api, type ServeApiOptions } from '../../../src/cli/api/serve-api.js';
import { addApiToken, removeApiToken } from '../../../src/cli/api/token-store.js';
import type { AdminRole } from '../../../src/permissions/admin-roles.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { isPeelId } from '../../../src/permissions/peel-id.js';
import { HOSTILE } from '../../security/hostile-strings.js';
import { UI_HEARTBEAT_INTERVAL_MS } from '../../../src/timing.js';
import { keptLog } from '../../support/kept-log.js';
import { tempDir } from '../../support/temp-dir.js';
import { issued, MemoryFleet, START } from './memory-fleet.js';

interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: object;
}

const PAGE = new Map([
  ['/', { type: 'text/html', body: Buffer.from('<p>the page'), gzipped: Buffer.from('zipped') }],
]);
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** The interface of a fleet with the peel `web-1`. Its HTTP runs over connections in memory: nothing listens. */
async function started(given: Partial<ServeApiOptions> = {}) {
  const memory = new MemoryFleet();
  memory.decide('web-1', issued('U1'));
  const live = new LiveFleet(memory.fleet, () => START);
  const { logger, lines } = keptLog();
  const home = await tempDir();
  const api = new Api({
    host: '127.0.0.1',
    port: 0,
    role: 'owner',
    tokensOf: home,
    page: PAGE,
    log: logger,
    context: {
      fleet: memory.fleet,
      live,
      now: () => START,
      version: 'test',
      writeToken: () => Promise.reject(new Error('no token is made here')),
    },
    ...given,
  });
  const server = createServer((request, response) => void api.answer(request, response));
  ends.push(() => {
    live.close();
    memory.end();
    api.close();
  });
  const send = (path: string, { method = 'GET', headers = {}, body }: Asked = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const [client, peer] = duplexPair();
      server.emit('connection', peer);
      const type = { ...(body !== undefined && { 'content-type': 'application/json' }) };
      const options = { method, path, headers: { host: 'localhost', ...type, ...headers } };
      const sent = httpRequest({ ...options, createConnection: () => client }, (response) =>
        resolve(response.setEncoding('utf8')),
      );
      sent.once('error', reject).end(body && JSON.stringify(body));
    });
  const ask = async (path: string, asked: Asked = {}): Promise<Reply> => {
    const response = await send(path, asked);
    const { statusCode: status = 0, headers } = response;
    let body = '';
    for await (const part of response) body += String(part);
    return { status, headers, body };
  };
  const bearer = async (role: AdminRole) => {
    const { secret } = await addApiToken(home, { name: role, role, lifetimeSeconds: 600, now: START });
    return { authorization: `Bearer ${secret}` };
  };
  /** Signs in by a link, and returns the cookie. */
  const signedIn = async () => {
    const { headers } = await ask('/api/v1/session', { method: 'POST', body: { key: api.newLinkKey() } });
    return { cookie: headers['set-cookie']?.[0]?.split(';')[0] ?? '' };
  };
  return { api, home, memory, lines, send, ask, bearer, signedIn };
}

const codeOf = ({ body }: Reply) => (JSON.parse(body) as { error: { code: string } }).error.code;

describe('the HTTP interface', () => {
  it('answers a caller with a token', async () => {
    const { ask, bearer } = await started();
    const { status, body } = await ask('/api/v1/peels', { headers: await bearer('viewer') });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ peels: [{ id: 'web-1' }] });
  });

  it('lets nobody in without one, and answers guesses no faster than it is to', async () => {
    const { ask } = await started();
    const first = await ask('/api/v1/peels');
    expect([first.status, codeOf(first), first.headers['www-authenticate']]).toEqual([
      401,
      'ERR_API_AUTH',
      'Bearer',
    ]);
    const guess = { authorization: 'Bearer zester_guessed' };
    const statuses = new Map<number, Reply>();
    for (let i = 0; i < 30; i += 1) {
      const reply = await ask('/api/v1/peels', { headers: guess });
      statuses.set(reply.status, reply);
    }
    expect([...statuses.keys()]).toEqual([401, 429]);
    expect(statuses.get(429)?.headers['retry-after']).toBe('1');
  });

  it('denies what the role of a token does not allow', async () => {
    const { ask, bearer } = await started();
    const headers = await bearer('viewer');
    const reply = await ask('/api/v1/peels/web-1/facts', { headers });
    expect([reply.status, codeOf(reply)]).toEqual([403, 'ERR_FLEET_DENIED']);
  });

  it('gives no token more than the admin credential has', async () => {
    const { ask, bearer } = await started({ role: 'viewer' });
    const { body } = await ask('/api/v1/session', { headers: await bearer('owner') });
    expect(JSON.parse(body)).toMatchObject({ name: 'owner', role: 'viewer' });
  });

  it.each([
    ['/nothing-here', {}, 404, 'ERR_API_NOT_FOUND'],
    ['/peels/web-1', { method: 'DELETE' }, 405, 'ERR_API_METHOD'],
    ['/peels?unknown=1', {}, 400, 'ERR_API_REQUEST'],
    ['/peels?limit=1&limit=2', {}, 400, 'ERR_API_REQUEST'],
    ['/events', { method: 'POST' }, 405, 'ERR_API_METHOD'],
  ])('refuses %s %o', async (path, asked, status, code) => {
    const { ask, bearer } = await started();
    const reply = await ask(`/api/v1${path}`, { ...asked, headers: await bearer('owner') });
    expect([reply.status, codeOf(reply)]).toEqual([status, code]);
  });

  it('refuses any "after" that is not a cursor of the sort order, and does not repeat it', async () => {
    const { ask, bearer, lines } = await started();
    const headers = await bearer('viewer');
    const seed = Buffer.from(generateKeyBundle('user').seed).toString();
    const sent = ['', 'no.peel', '*', 'state.MSB3ZWItMQ', '\ud800', '%', 'x'.repeat(5_000), seed];
    for (const sort of ['id', 'expires'])
      for (const after of [...sent, ...Object.values(HOSTILE)]) {
        if (sort === 'id' && isPeelId(after)) continue;
        const query = new URLSearchParams({ sort, after }).toString();
        const reply = await ask(`/api/v1/peels?${query}`, { headers });
        expect([reply.status, codeOf(reply)], query).toEqual([400, 'ERR_API_REQUEST']);
        expect(reply.body).not.toContain(seed);
      }
    for (const query of ['sort=expires&after=web-1', 'after=a&after=b', 'after=%ff%00', 'after'])
      expect(codeOf(await ask(`/api/v1/peels?${query}`, { headers })), query).toBe('ERR_API_REQUEST');
    expect(lines).toEqual([]);
  });

  it('shows no detail of an unexpected failure, but logs it', async () => {
    const { ask, bearer, memory, lines } = await started();
    memory.failure = new Error('a detail');
    const reply = await ask('/api/v1/peels', { headers: await bearer('viewer') });
    expect([reply.status, codeOf(reply)]).toEqual([500, 'ERR_FLEET_INTERNAL']);
    expect(reply.body).not.toContain('a detail');
    expect(lines).toMatchObject([{ level: 'error', fields: { reason: 'a detail' } }]);
  });

  it('is not for other sites', async () => {
    const { ask, bearer } = await started();
    const headers = { ...(await bearer('owner')), 'sec-fetch-site': 'cross-site' };
    expect(codeOf(await ask('/api/v1/peels', { headers }))).toBe('ERR_API_ORIGIN');
  });
});

describe('an event stream', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  /** An open stream: reads on until its text matches, or it ends. */
  async function opened({ send }: Pick<Awaited<ReturnType<typeof started>>, 'send'>, headers: object) {
    const response = await send('/api/v1/events', { headers: { ...headers } });
    const parts = response[Symbol.asyncIterator]() as AsyncIterator<string>;
    let text = '';
    return {
      response,
      until: async (pattern: RegExp) => {
        for (let part = await parts.next(); part.done !== true; part = await parts.next())
          if (pattern.test((text += part.value))) return 'found';
        return 'ended';
      },
    };
  }

  it('stays open while its caller exceeds the request rate', async () => {
    const api = await started();
    const headers = await api.bearer('viewer');
    const { until, response } = await opened(api, headers);
    const session = () => api.ask('/api/v1/session', { headers });
    // the rate allows another request every 20 ms: one of the checks would have been refused
    for (let i = 0; i < 5; i += 1) {
      while ((await session()).status !== 429);
      vi.advanceTimersByTime(UI_HEARTBEAT_INTERVAL_MS);
    }
    // it is answered after the last check
    await session();
    api.memory.decide('web-2', issued('U2'));
    expect(await until(/"web-2"/)).toBe('found');
    response.destroy();
  });

  it('ends when its token was removed, and leaves the rate of unknown callers as it is', async () => {
    const api = await started();
    const streams = [];
    for (const role of ['viewer', 'operator'] as const) {
      const headers = await api.bearer(role);
      for (let i = 0; i < 15; i += 1) streams.push(await opened(api, headers));
    }
    for (const role of ['viewer', 'operator']) await removeApiToken(api.home, role);
    vi.advanceTimersByTime(UI_HEARTBEAT_INTERVAL_MS);
    for (const { until } of streams) expect(await until(/never/)).toBe('ended');
    expect((await api.ask('/api/v1/session')).status).toBe(401);
  });
});

describe('the page', () => {
  it('is sent with a policy that allows only its own files', async () => {
    const { ask } = await started();
    const plain = await ask('/');
    expect([plain.status, plain.body]).toEqual([200, '<p>the page']);
    expect(plain.headers['content-security-policy']).toContain("default-src 'none'");
    const zipped = await ask('/', { headers: { 'accept-encoding': 'gzip, br' } });
    expect([zipped.headers['content-encoding'], zipped.body]).toEqual(['gzip', 'zipped']);
    expect((await ask('/', { method: 'HEAD' })).body).toBe('');
  });

  it('is read only, and has no other file', async () => {
    const { ask } = await started();
    expect((await ask('/', { method: 'POST' })).status).toBe(405);
    expect((await ask('/etc/passwd')).status).toBe(404);
  });

  it('signs in once by each link, and out again', async () => {
    const { api, ask } = await started();
    const body = { key: api.newLinkKey() };
    const { headers } = await ask('/api/v1/session', { method: 'POST', body });
    const [cookie = ''] = headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; /);
    expect((await ask('/api/v1/session', { method: 'POST', body })).status).toBe(401);
    const signedIn = { cookie: cookie.split(';')[0] ?? '' };
    expect((await ask('/api/v1/peels', { headers: signedIn })).status).toBe(200);
    const own = { ...signedIn, origin: 'http://localhost' };
    expect((await ask('/api/v1/session', { method: 'DELETE', headers: own })).status).toBe(200);
    expect((await ask('/api/v1/peels', { headers: signedIn })).status).toBe(401);
  });

  it('changes nothing by a request that does not say where it comes from', async () => {
    const { ask, signedIn } = await started();
    const reply = await ask('/api/v1/session', { method: 'DELETE', headers: await signedIn() });
    expect(codeOf(reply)).toBe('ERR_API_ORIGIN');
  });

  it('is absent where only the interface is served', async () => {
    const { api, ask } = await started({ page: undefined });
    expect((await ask('/')).status).toBe(404);
    const body = { key: api.newLinkKey() };
    expect((await ask('/api/v1/session', { method: 'POST', body })).status).toBe(404);
  });
});
