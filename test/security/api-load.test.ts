// One caller of the HTTP interface, such as the thief of a viewer's token, cannot keep the others from theirs.
import { request as httpRequest } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { LiveFleet } from '../../src/cli/api/live-fleet.js';
import { serveApi, type RunningApi } from '../../src/cli/api/serve-api.js';
import { addApiToken } from '../../src/cli/api/token-store.js';
import { connectFleet } from '../../src/fleet-client/connect-fleet.js';
import { MAX_LABELS } from '../../src/protocol/records/labels.js';
import { startFleet } from '../integration/fleet/fleet.js';
import { addCreds } from '../integration/fleet/peels.js';
import { atEnd } from '../support/cleanup.js';
import { keptLog } from '../support/kept-log.js';
import { waitFor } from '../support/wait-for.js';

/** Peels in a list, each with all labels that it may have: an answer is larger than what a system buffers for a connection. */
const PEELS = 2_500;
const LABELS = Object.fromEntries(
  Array.from({ length: MAX_LABELS }, (_, i) => [`${i}-`.padEnd(63, 'n'), 'v'.repeat(63)]),
);
/** Answers of one caller that are made at once. */
const SLOTS = 8;

let api: RunningApi;
const secrets: Record<string, string> = {};
/** Lists that were begun. */
let begun = 0;

beforeAll(async () => {
  const fleet = await startFleet();
  const domain = await fleet.home.domain();
  const admin = await fleet.admin();
  await addCreds(fleet, admin, 'web-1');
  await admin.ask('peel.label', { peelId: 'web-1', set: LABELS });
  const client = await connectFleet({ ...fleet.connection, credentials: domain.paths.adminCreds });
  atEnd(() => client.close());
  const live = new LiveFleet(client, Date.now);
  atEnd(async () => live.close());
  const peelsOf = live.peels.bind(live);
  // a registry of many peels, which are all the same
  live.peels = function* () {
    begun += 1;
    const peels = [...peelsOf()];
    for (let i = 0; i < PEELS; i += 1) yield* peels;
  };
  for (const name of ['thief', 'other']) {
    const made = await addApiToken(domain.home, {
      name,
      role: 'viewer',
      lifetimeSeconds: 600,
      now: Date.now(),
    });
    secrets[name] = made.secret;
  }
  api = await serveApi({
    host: '127.0.0.1',
    port: 0,
    role: 'operator',
    tokensOf: domain.home,
    page: undefined,
    log: keptLog().logger,
    context: {
      fleet: client,
      live,
      now: Date.now,
      version: 'test',
      writeToken: () => Promise.reject(new Error('no token is made here')),
    },
  });
  atEnd(() => api.close());
});

/** @returns the status, and the bytes of the body */
function ask(name: string, path: string): Promise<{ status: number; bytes: number }> {
  // on a connection of its own: a kept one may be closed by the server at the same moment
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${secrets[name]}` };
    const sent = httpRequest(new URL(`/api/v1${path}`, api.url), { headers, agent: false }, (response) => {
      let bytes = 0;
      response.on('data', (part: Buffer) => (bytes += part.length));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, bytes }));
    });
    sent.once('error', reject).end();
  });
}

/** Sends a request, and reads only the first bytes of the answer. @returns `head`: its status and headers */
function askOnly(name: string, path: string): { socket: Socket; head: Promise<string> } {
  const { port } = new URL(api.url);
  const socket = connectTcp(Number(port), '127.0.0.1');
  const head = new Promise<string>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', (data: Buffer) => {
      socket.pause();
      resolve(data.toString('latin1').split('\r\n\r\n')[0] ?? '');
    });
  });
  head.catch(() => undefined);
  const lines = [
    `GET /api/v1${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${secrets[name]}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  atEnd(async () => void socket.destroy());
  return { socket, head };
}

describe('one caller of the HTTP interface', () => {
  it('cannot hold all connections by keeping them open: from half of them on, each ends with its answer', async () => {
    const kept = Array.from({ length: 200 }, () => askOnly('thief', '/session'));
    const heads = await Promise.all(kept.map(({ head }) => head));
    const closing = heads.filter((head) => /^connection: close$/im.test(head));
    expect(closing.length).toBeGreaterThanOrEqual(200 - 128);
    expect((await ask('other', '/session')).status).toBe(200);
    for (const { socket } of kept) socket.destroy();
  });

  it('gets 16 streams of events, and other callers still get theirs', async () => {
    const streams = Array.from({ length: 20 }, () => askOnly('thief', '/events'));
    const heads = await Promise.all(streams.map(({ head }) => head));
    const count = (status: number) => heads.filter((head) => head.startsWith(`HTTP/1.1 ${status} `)).length;
    expect([count(200), count(429)]).toEqual([16, 4]);
    expect(await askOnly('other', '/events').head).toMatch(/^HTTP\/1.1 200 /);
    for (const { socket } of streams) socket.destroy();
    await waitFor('its streams to end', async () =>
      (await askOnly('thief', '/events').head).includes(' 200 '),
    );
  });

  it('that does not read its answers has a few of them in memory, and delays nobody else’s', async () => {
    const before = begun;
    const unread = Array.from({ length: 40 }, () => askOnly('thief', '/peels?limit=1000000'));
    await waitFor('answers to be made', () => begun >= before + SLOTS);
    const { status, bytes } = await ask('other', '/peels?limit=1000000');
    expect(status).toBe(200);
    expect(bytes).toBeGreaterThan(8e6);
    expect(begun).toBe(before + SLOTS + 1);
    for (const { socket } of unread) socket.destroy();
    expect((await ask('thief', '/peels?limit=1')).status).toBe(200);
  });
});
