import { request as httpRequest } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { nuid } from '@nats-io/nats-core';
import * as v from 'valibot';

import { beforeAll, describe, expect, it } from 'vitest';
import { LiveFleet } from '../../../src/cli/api/live-fleet.js';
import { ROUTES } from '../../../src/cli/api/routes.js';
import { answers } from '../../../src/cli/api/schemas.js';
import { serveApi, type RunningApi } from '../../../src/cli/api/serve-api.js';
import { addApiToken, removeApiToken } from '../../../src/cli/api/token-store.js';
import { errorTraits } from '../../../src/error-traits.js';
import { contextOf } from '../../../src/master/context-of.js';
import { connectMaster } from '../../../src/connection/connect.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { auditSubject } from '../../../src/permissions/names.js';
import { connectFleet } from '../../../src/fleet-client/connect-fleet.js';
import { joinFleet } from '../../../src/peel/join.js';
import type { AdminRole } from '../../../src/permissions/admin-roles.js';
import { fingerprint } from '../../../src/protocol/fingerprint.js';
import { atEnd } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, TestPeel, tokenFile } from './peels.js';

interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  json: <T = Record<string, never>>() => T;
}

let fleet: Fleet;
let api: RunningApi;
const secrets = new Map<AdminRole, string>();
let home: string;
/** Open event streams. */
let listening = 0;

/** Not `fetch`, which sets `Host`, `Origin` and `Cookie` itself. */
function ask(
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string | object } = {},
): Promise<Reply> {
  const text = typeof body === 'object' ? JSON.stringify(body) : body;
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      new URL(path, api.url),
      {
        method,
        headers: { ...(text !== undefined && { 'content-type': 'application/json' }), ...headers },
      },
      (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (part: string) => (received += part));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: received,
            json: () => JSON.parse(received) as never,
          }),
        );
      },
    );
    sent.once('error', reject);
    sent.end(text);
  });
}

function as(role: AdminRole): { authorization: string } {
  return { authorization: `Bearer ${secrets.get(role)}` };
}

/**
 * Signs in like the page.
 *
 * @returns the cookie
 */
async function signedIn(): Promise<string> {
  const [, key] = api.newLink().split('#key=');
  const { status, headers } = await ask('POST', '/api/v1/session', { body: { key } });
  expect(status).toBe(200);
  return String(headers['set-cookie']).split(';')[0] ?? '';
}

/**
 * A host that requests to join.
 *
 * @returns the fingerprint of its key
 */
async function pending(peelId: string): Promise<string> {
  const token = await tokenFile(fleet, await fleet.admin());
  const end = new AbortController();
  atEnd(async () => end.abort());
  const out = join(fleet.home.dir, `${peelId}.joined.creds`);
  joinFleet({ ...fleet.connection, token, peelId, out, signal: end.signal }).catch(() => undefined);
  const { keys } = await fleet.record(peelId, ({ state }) => state === 'pending');
  return fingerprint(keys.at(-1)?.publicKey ?? '');
}

beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 600 });
  const domain = await fleet.home.domain();
  home = domain.home;
  const client = await connectFleet({ ...fleet.connection, credentials: domain.paths.adminCreds });
  atEnd(() => client.close());
  const live = new LiveFleet(client, Date.now);
  const listenTo = live.listen.bind(live);
  live.listen = (listener) => {
    listening += 1;
    const stop = listenTo(listener);
    return () => {
      listening -= 1;
      stop();
    };
  };
  for (const role of ['viewer', 'approver', 'operator', 'owner'] as const) {
    const made = await addApiToken(domain.home, { name: role, role, lifetimeSeconds: 600, now: Date.now() });
    secrets.set(role, made.secret);
  }
  const html = Buffer.from('<!doctype html>');
  api = await serveApi({
    host: '127.0.0.1',
    port: 0,
    role: 'operator',
    tokensOf: domain.home,
    page: new Map([['/', { type: 'text/html', body: html, gzipped: html }]]),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    context: {
      fleet: client,
      live,
      now: Date.now,
      version: '0.0.0',
      home: { open: () => fleet.home.domain(), doctor: async () => [] },
      writeToken: async ({ id }) => `/tokens/${id}`,
    },
  });
  atEnd(async () => {
    live.close();
    await api.close();
  });
});

describe('the HTTP interface', () => {
  it('opens a session with a link once, and keeps it in a cookie that scripts and other sites cannot use', async () => {
    const [, key] = api.newLink().split('#key=');
    const first = await ask('POST', '/api/v1/session', { body: { key } });
    expect(first.status).toBe(200);
    const [cookie = ''] = first.headers['set-cookie'] as string[];
    expect(cookie).toMatch(/^zester_\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/api\/v1; Max-Age=\d+$/);
    const headers = { cookie: cookie.split(';')[0] ?? '' };
    expect((await ask('GET', '/api/v1/session', { headers })).json()).toMatchObject({
      kind: 'session',
      // never more than the credential
      role: 'operator',
    });
    const second = await ask('POST', '/api/v1/session', { body: { key } });
    expect(second.status).toBe(401);
    expect(second.headers['set-cookie']).toBeUndefined();
    // a session can change something only if the browser names this page as the origin
    const { status } = await ask('POST', '/api/v1/peels/web-01/rotate', { headers, body: {} });
    expect(status).toBe(403);
    expect(
      (await ask('DELETE', '/api/v1/session', { headers: { ...headers, origin: api.url } })).status,
    ).toBe(200);
    expect((await ask('GET', '/api/v1/session', { headers })).status).toBe(401);
  });

  it('refuses cross-site requests and DNS rebinding', async () => {
    const cookie = await signedIn();
    for (const foreign of [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: 'http://127.0.0.1:1' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: api.url },
    ]) {
      for (const credentials of [{ cookie }, as('owner')]) {
        const reply = await ask('GET', '/api/v1/summary', { headers: { ...credentials, ...foreign } });
        expect(reply.status, JSON.stringify(foreign)).toBe(403);
        expect(reply.json()).toMatchObject({ error: { code: 'ERR_API_ORIGIN' } });
        expect(reply.headers['access-control-allow-origin']).toBeUndefined();
      }
    }
    const rebound = await ask('GET', '/', { headers: { host: 'evil.example' } });
    expect(rebound.status).toBe(421);
    const own = { headers: { cookie, origin: api.url, 'sec-fetch-site': 'same-origin' } };
    expect((await ask('GET', '/api/v1/summary', own)).status).toBe(200);
  });

  it('allows the page no inline code and no other source', async () => {
    const { headers } = await ask('GET', '/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    });
  });

  it('limits a token to its role, and to that of the credential', async () => {
    await addCreds(fleet, await fleet.admin(), 'role-1');
    const may = async (role: AdminRole, method: string, path: string, body?: object) =>
      (await ask(method, `/api/v1${path}`, { headers: as(role), ...(body && { body }) })).status;
    expect(await may('viewer', 'GET', '/peels')).toBe(200);
    expect(await may('viewer', 'POST', '/tokens', {})).toBe(403);
    expect(await may('approver', 'POST', '/tokens', {})).toBe(200);
    expect(await may('approver', 'POST', '/peels/role-1/revoke', {})).toBe(403);
    expect(await may('operator', 'POST', '/peels/role-1/rotate', {})).toBe(200);
    // the credential of this interface is an operator's
    expect(await may('owner', 'GET', '/doctor')).toBe(403);
    for (const { method, path, role } of ROUTES) {
      if (role === 'viewer') continue;
      const asked = await ask(method, `/api/v1${path.replace('{id}', 'role-1')}`, { headers: as('viewer') });
      expect(asked.json(), `${method} ${path}`).toMatchObject({ error: { code: 'ERR_FLEET_DENIED' } });
    }
  });

  it('applies the rules of the role of a token, not of its own credential, in every state of a peel', async () => {
    const by = await fleet.admin();
    await pending('state-pending');
    await addCreds(fleet, by, 'state-accepted');
    await TestPeel.start(fleet, await addCreds(fleet, by, 'state-active'));
    await fleet.record('state-active', ({ state }) => state === 'active');
    const reject = async (role: AdminRole, peelId: string) => {
      const answer = await ask('POST', `/api/v1/peels/${peelId}/reject`, { headers: as(role), body: {} });
      return answer.json<{ error?: { code: string } }>().error?.code ?? answer.status;
    };
    expect(await reject('approver', 'state-accepted')).toBe('ERR_FLEET_DENIED');
    expect(await reject('approver', 'state-active')).toBe('ERR_FLEET_DENIED');
    expect(await reject('approver', 'state-pending')).toBe(200);
    const { state, decided } = await fleet.record('state-pending', (record) => record.state !== 'pending');
    expect(state).toBe('rejected');
    expect(decided?.by).toMatchObject({ kind: 'admin', role: 'approver' });
    expect(await reject('operator', 'state-active')).toBe(200);
    // the credential is the owner's: the interface must not lend its token quota either
    const made = await ask('POST', '/api/v1/tokens', { headers: as('approver'), body: {} });
    const { token } = made.json<{ token: { id: string } }>();
    expect(contextOf(fleet.master).tokens.get(token.id)?.createdBy).toMatchObject({ role: 'approver' });
  });

  it('refuses a token as soon as it is removed', async () => {
    const { secret } = await addApiToken(home, {
      name: 'gone',
      role: 'viewer',
      lifetimeSeconds: 600,
      now: Date.now(),
    });
    const headers = { authorization: `Bearer ${secret}` };
    expect((await ask('GET', '/api/v1/session', { headers })).json()).toMatchObject({ name: 'gone' });
    expect(await removeApiToken(home, 'gone')).toBe(true);
    expect((await ask('GET', '/api/v1/session', { headers })).status).toBe(401);
  });

  it('checks queries and bodies, and answers with the code and the status of each error', async () => {
    const headers = as('operator');
    const cases: readonly [string, string, string | object | undefined, string][] = [
      ['GET', '/peels?limit=0', undefined, 'ERR_API_REQUEST'],
      ['GET', '/peels?state=none', undefined, 'ERR_API_REQUEST'],
      ['GET', '/peels?unknown=1', undefined, 'ERR_API_REQUEST'],
      ['GET', '/peels?q=a&q=b', undefined, 'ERR_API_REQUEST'],
      ['GET', '/peels?__proto__=1', undefined, 'ERR_API_REQUEST'],
      ['GET', '/peels/none-01', undefined, 'ERR_FLEET_UNKNOWN_PEEL'],
      ['GET', '/peels/no.peel', undefined, 'ERR_API_NOT_FOUND'],
      ['GET', '/peels/%2e%2e', undefined, 'ERR_API_NOT_FOUND'],
      ['GET', '/nothing', undefined, 'ERR_API_NOT_FOUND'],
      ['DELETE', '/peels', undefined, 'ERR_API_METHOD'],
      ['POST', '/peels/web-01/revoke', '{"reason":', 'ERR_API_REQUEST'],
      ['POST', '/peels/web-01/revoke', { reason: 'x', more: 1 }, 'ERR_API_REQUEST'],
      ['POST', '/peels/web-01/revoke', { reason: 'x'.repeat(20_000) }, 'ERR_API_TOO_LARGE'],
      ['POST', '/peels/web-01/revoke', `${'['.repeat(100)}${']'.repeat(100)}`, 'ERR_API_REQUEST'],
      ['POST', '/peels/none-01/accept', {}, 'ERR_FLEET_UNKNOWN_PEEL'],
    ];
    for (const [method, path, body, code] of cases) {
      const reply = await ask(method, `/api/v1${path}`, { headers, ...(body !== undefined && { body }) });
      expect(reply.json(), `${method} ${path}`).toMatchObject({ error: { code } });
      expect(reply.status, `${method} ${path}`).toBe(errorTraits(code)?.httpStatus);
    }
    const form = await ask('POST', '/api/v1/peels/web-01/revoke', {
      headers: { ...headers, 'content-type': 'text/plain' },
      body: '{}',
    });
    expect(form.status).toBe(400);
  });

  it('accepts with a fingerprint, revokes, and lists, each answer in its documented form', async () => {
    const headers = as('operator');
    const shown = await pending('http-1');
    const listed = await waitFor('the pending peel', async () => {
      const reply = await ask('GET', '/api/v1/pending', { headers });
      return reply.body.includes('http-1') ? reply : undefined;
    });
    expect(listed.json<{ peels: object[] }>().peels).toContainEqual(
      expect.objectContaining({ id: 'http-1', fingerprint: shown }),
    );
    const wrong = { fingerprint: '0000-0000-0000-0000-0000' };
    expect((await ask('POST', '/api/v1/peels/http-1/accept', { headers, body: wrong })).json()).toMatchObject(
      { error: { code: 'ERR_FLEET_PROOF' } },
    );
    const body = { fingerprint: shown, reason: 'rack 7' };
    const accepted = await ask('POST', '/api/v1/peels/http-1/accept', { headers, body });
    expect(accepted.json()).toMatchObject({ peel: { id: 'http-1', state: 'accepted' } });
    const creds = await addCreds(fleet, await fleet.admin(), 'http-2');
    await TestPeel.start(fleet, creds);
    const revoked = await ask('POST', '/api/v1/peels/http-2/revoke', { headers, body: { reason: 'lost' } });
    expect(revoked.json()).toMatchObject({ peel: { state: 'revoked' }, revoked: [expect.any(String)] });

    for (const { method, path, answer, role } of ROUTES) {
      if (method !== 'GET' || role === 'owner' || path.endsWith('/facts')) continue;
      const reply = await ask(method, `/api/v1${path.replace('{id}', 'http-2')}`, { headers });
      expect(reply.status, path).toBe(200);
      expect(v.safeParse(answer, reply.json()).issues, path).toBeUndefined();
    }
    const rows = await ask('GET', '/api/v1/peels?format=rows&sort=state&limit=1', { headers });
    expect(v.parse(answers.peels, rows.json())).toMatchObject({
      rows: [expect.arrayContaining(['accepted', false])],
    });
  });

  it('pages through peels in each order, each peel once', async () => {
    const admin = await fleet.admin();
    for (let i = 0; i < 5; i += 1) await addCreds(fleet, admin, `page-${i}`);
    const headers = as('viewer');
    for (const sort of ['id', 'state', 'expires', 'seen']) {
      const seen: string[] = [];
      await waitFor('all peels', async () => {
        seen.length = 0;
        for (let after = ''; ;) {
          const query = `pattern=page-*&limit=2&sort=${sort}${after === '' ? '' : `&after=${after}`}`;
          const reply = await ask('GET', `/api/v1/peels?${query}`, { headers });
          const page = reply.json<{ peels: { id: string }[]; total: number; next: string | null }>();
          seen.push(...page.peels.map(({ id }) => id));
          if (page.next === null) return page.total === 5;
          after = page.next;
        }
      });
      expect(seen.toSorted(), sort).toEqual(['page-0', 'page-1', 'page-2', 'page-3', 'page-4']);
    }
  });

  it('pushes audit events and changed peels, including those that a caller missed', async () => {
    const { position } = (await ask('GET', '/api/v1/peels', { headers: as('viewer') })).json<{
      position: string;
    }>();
    const pushed = await listen(`/api/v1/events`);
    await addCreds(fleet, await fleet.admin(), 'pushed-1');
    await waitFor('the peel', () => /event: peels\nid: [0-9a-f]+\.\d+\ndata: .*"pushed-1"/.test(pushed()));
    await waitFor('the event', () => /event: audit\n(id: .*\n)?data: .*"key.issued"/.test(pushed()));

    const later = await listen(`/api/v1/events?since=${position}`);
    await waitFor('the missed events', () => later().includes('"pushed-1"'));
    expect(later()).not.toContain('event: reset');
    const other = await listen(`/api/v1/events?since=000000000000.1`);
    await waitFor('a reset', () => other().includes('event: reset'));
  });

  it('pushes connects and disconnects of peels', async () => {
    const pushed = await listen('/api/v1/events');
    const peel = await TestPeel.start(fleet, await addCreds(fleet, await fleet.admin(), 'comes-1'));
    await waitFor('the connect', () => /"id":"comes-1"[^}]*"connected":true/.test(pushed()));
    await peel.peel.nc.close();
    const after = pushed().length;
    await waitFor('the disconnect', () => /"id":"comes-1"[^}]*"connected":false/.test(pushed().slice(after)));
  });

  it('shows no seed, whatever a thief of a master writes into the audit log', async () => {
    const seed = Buffer.from(generateKeyBundle('user').seed).toString();
    const [event] = (await fleet.audit()).filter(
      ({ kind }) => kind === 'request.refused' || kind === 'master.started',
    );
    const { paths } = await fleet.home.domain();
    const thief = await connectMaster({ ...fleet.connection, credsPath: paths.masterCreds });
    atEnd(() => thief.close());
    const pushed = await listen('/api/v1/events');
    const reason = `see ${seed} \u0002${seed} planted`;
    const forged = { ...event, id: nuid.next(), at: new Date().toISOString(), reason };
    thief.publish(auditSubject(undefined, event?.kind ?? ''), JSON.stringify(forged));
    await waitFor('the forged event', () => pushed().includes('planted'));
    const listed = await ask('GET', '/api/v1/audit?last=50', { headers: as('viewer') });
    expect(listed.body).toContain('planted');
    for (const text of [pushed(), listed.body]) expect(text).not.toContain(seed);
  });

  it('frees the slot when a caller disconnects before its event stream starts', async () => {
    for (let i = 0; i < 100; i += 1) {
      await new Promise<void>((resolve) => {
        const socket = connectTcp(Number(new URL(api.url).port), '127.0.0.1', () => {
          const lines = [
            'GET /api/v1/events HTTP/1.1',
            `Host: 127.0.0.1:${new URL(api.url).port}`,
            `Authorization: ${as('viewer').authorization}`,
          ];
          socket.write(`${lines.join('\r\n')}\r\n\r\n`, () => socket.resetAndDestroy());
        });
        socket.once('close', () => resolve()).once('error', () => undefined);
      });
    }
    // there is room for one more stream, which gets the events
    const pushed = await listen('/api/v1/events');
    await addCreds(fleet, await fleet.admin(), 'after-1');
    await waitFor('the peel', () => pushed().includes('"after-1"'));
    const before = streams.length;
    for (const end of streams.splice(0)) end();
    await waitFor('no stream to be left', () => listening === 0);
    expect(before).toBeGreaterThan(0);
  });

  it('limits the request rate of a caller', async () => {
    const { secret } = await addApiToken(home, {
      name: 'busy',
      role: 'viewer',
      lifetimeSeconds: 600,
      now: Date.now(),
    });
    const headers = { authorization: `Bearer ${secret}` };
    const replies = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const statuses: number[] = [];
        for (let i = 0; i < 100; i += 1)
          statuses.push((await ask('GET', '/api/v1/session', { headers })).status);
        return statuses;
      }),
    );
    expect(new Set(replies.flat())).toEqual(new Set([200, 429]));
    // others do not wait for it
    expect((await ask('GET', '/api/v1/session', { headers: as('viewer') })).status).toBe(200);
  });

  // last, since the limit applies to all unknown callers together
  it('refuses callers without a session or a token', async () => {
    const paths = ROUTES.map(({ method, path }) => [method, path.replace('{id}', 'web-01')] as const);
    for (const [method, path] of [...paths, ['GET', '/events'], ['GET', '/openapi.json']] as const) {
      for (const headers of [
        {},
        { authorization: 'Bearer zester_wrong' },
        { authorization: `Basic ${secrets.get('viewer')}` },
        { cookie: `zester_${new URL(api.url).port}=${'A'.repeat(43)}` },
      ]) {
        const { status, json } = await ask(method, `/api/v1${path}`, { headers });
        const { error } = json<{ error: { code: string } }>();
        expect([401, 429], `${method} ${path}`).toContain(status);
        expect(['ERR_API_AUTH', 'ERR_FLEET_RATE']).toContain(error.code);
      }
    }
  });

  it('describes itself in OpenAPI, every route with its role', async () => {
    const { openapi, paths } = (await ask('GET', '/api/v1/openapi.json', { headers: as('viewer') })).json<{
      openapi: string;
      paths: Record<string, Record<string, { 'x-role'?: string }>>;
    }>();
    expect(openapi).toMatch(/^3\.1\./);
    for (const { method, path, role } of ROUTES)
      expect(paths[`/api/v1${path}`]?.[method.toLowerCase()]?.['x-role'], path).toBe(role);
  });
});

/** Ends each stream that was opened. */
const streams: (() => void)[] = [];

/**
 * Reads an event stream.
 *
 * @returns the text received so far
 */
async function listen(path: string): Promise<() => string> {
  let text = '';
  const sent = httpRequest(new URL(path, api.url), { headers: as('viewer') }, (response) => {
    response.setEncoding('utf8').on('data', (part: string) => (text += part));
  });
  sent.on('error', () => undefined).end();
  const end = () => void sent.destroy();
  streams.push(end);
  atEnd(async () => end());
  await waitFor('the stream', () => text.includes('retry:'));
  return () => text;
}
