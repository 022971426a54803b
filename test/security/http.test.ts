// Attacks on /metrics and /healthz: by a web page, a slow client and a flood.
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_HTTP } from '../../src/cli/config/settings.js';
import { contextOf } from '../../src/master/context-of.js';
import { serveMasterHttp } from '../../src/master/http.js';
import { HTTP_REQUEST_TIMEOUT_MS } from '../../src/timing.js';
import { startFleet, type Fleet } from '../integration/fleet/fleet.js';
import { atEnd } from '../support/cleanup.js';
import { waitFor } from '../support/wait-for.js';

let fleet: Fleet;
let url: string;
let port: number;
beforeAll(async () => {
  fleet = await startFleet();
  const served = await serveMasterHttp(fleet.master, { ...DEFAULT_HTTP, port: 0 });
  atEnd(served.close);
  url = served.url;
  port = Number(new URL(url).port);
});

interface Answer {
  status: number;
  body: string;
  headers: IncomingHttpHeaders;
}

function ask(
  path: string,
  {
    headers = {},
    method = 'GET',
    body,
  }: { headers?: OutgoingHttpHeaders; method?: string; body?: Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { headers, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
      );
      response.once('error', reject);
    });
    sent.once('error', reject).end(body);
  });
}

/** A connection that sends this text, and its response. */
async function dial(
  text: string,
): Promise<{ socket: Socket; received: () => string; closed: Promise<void> }> {
  const socket = connect(port, '127.0.0.1');
  atEnd(async () => void socket.destroy());
  let received = '';
  socket.on('data', (data) => (received += data.toString('latin1')));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  await new Promise<void>((resolve) => void socket.once('connect', resolve).once('close', resolve));
  socket.write(text);
  return { socket, received: () => received, closed };
}

describe('/metrics and /healthz', () => {
  it.each([
    ['of another name', { host: 'evil.example' }, 421],
    ['of another site', { origin: 'https://evil.example' }, 403],
    ['of another port of this machine', { origin: 'http://127.0.0.1:1' }, 403],
    ['of a sandbox', { origin: 'null' }, 403],
    ['that a browser says is another site’s', { 'sec-fetch-site': 'cross-site' }, 403],
    ['that a browser says is a neighbour’s', { 'sec-fetch-site': 'same-site' }, 403],
  ])('reveal nothing to a page %s', async (_what, headers, status) => {
    for (const path of ['/metrics', '/healthz']) {
      const answer = await ask(path, { headers });
      expect([path, answer.status]).toEqual([path, status]);
      expect(answer.body).not.toMatch(/zester_|master/);
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('answer a program, and their own page', async () => {
    for (const headers of [
      {},
      { origin: url, 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
    ]) {
      const { status, headers: received } = await ask('/healthz', { headers });
      expect(status).toBe(200);
      expect(received).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    }
  });

  it('listen on this machine only by default', async () => {
    expect(DEFAULT_HTTP.host).toBe('127.0.0.1');
    const outside = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4');
    if (outside === undefined) return;
    await expect(
      new Promise((resolve, reject) => {
        const socket = connect(port, outside.address, () => resolve('connected'));
        socket.once('error', reject);
        atEnd(async () => void socket.destroy());
      }),
    ).rejects.toThrow('ECONNREFUSED');
  });

  it('have no seed, no JWT and no password in any answer', async () => {
    for (const path of ['/metrics', '/healthz', '/', '/%00', `/${'x'.repeat(2_000)}`]) {
      const { body, headers } = await ask(path);
      expect(`${body}${JSON.stringify(headers)}`).not.toMatch(/S[OAUNCX][A-Z2-7]{55,}|eyJ|:\/\/[^/\s]*@/);
    }
  });

  it('refuse oversized and malformed requests', async () => {
    const huge = await dial(`GET /metrics HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`);
    await huge.closed;
    expect(huge.received()).toMatch(/^HTTP\/1.1 431 /);
    const garbage = await dial('\u0000\u0001 not http\r\n\r\n');
    await garbage.closed;
    expect(garbage.received()).toMatch(/^HTTP\/1.1 400 /);
    const posted = await dial(
      'POST /metrics HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000000\r\n\r\nx',
    );
    // the rest of the announced body is not awaited
    await posted.closed;
    expect(posted.received()).toMatch(/^HTTP\/1.1 405 /);
  });

  it(
    'disconnect clients that send slowly, and answer others afterwards',
    async () => {
      const slow = await Promise.all(
        Array.from({ length: 100 }, () => dial('GET /metrics HTTP/1.1\r\nhost: localhost\r\nx-slow: ')),
      );
      const drip = setInterval(() => {
        for (const { socket } of slow) if (socket.writable) socket.write('x');
      }, 200);
      atEnd(async () => clearInterval(drip));
      await Promise.all(slow.map(({ closed }) => closed));
      clearInterval(drip);
      expect((await ask('/healthz')).status).toBe(200);
    },
    HTTP_REQUEST_TIMEOUT_MS * 6,
  );

  it('query JetStream once for many concurrent requests', async () => {
    const { store } = contextOf(fleet.master);
    const { peels } = store;
    const status = peels.status.bind(peels);
    let asked = 0;
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    peels.status = async () => {
      asked += 1;
      await held;
      return status();
    };
    atEnd(async () => void (peels.status = status));
    const asking = Promise.allSettled(Array.from({ length: 50 }, () => ask('/healthz')));
    await waitFor('the first look', () => (asked > 0 ? true : undefined));
    // answered, or refused, after those that were sent before it
    await ask('/none').catch(() => undefined);
    answer();
    const answers = await asking;
    expect(answers.filter(({ status: how }) => how === 'fulfilled').length).toBeGreaterThan(0);
    expect(asked).toBeLessThan(25);
  });
});
