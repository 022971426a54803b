// Hostile listeners in place of a server: an attempt ends in time, with an accurate error, and prints none of their
// input raw.
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectMaster, connectPeel } from '../../src/connection/connect.js';
import { fetchAccountJwt } from '../../src/account/fetch-account-jwt.js';
import { bootstrapPeelCreds } from '../../src/creds/bootstrap.js';
import { errorTraits } from '../../src/error-traits.js';
import { ZesterError } from '../../src/errors.js';
import { connectFleet } from '../../src/fleet-client/connect-fleet.js';
import { startMaster } from '../../src/master/master.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { startPeel } from '../../src/peel/peel.js';
import { errorLine } from '../../src/cli/terminal/error-line.js';
import { createTrustDomain } from '../../src/trust/create/create.js';
import type { TrustDomain } from '../../src/trust/domain.js';
import { waitFor } from '../support/wait-for.js';
import { tempDir } from '../support/temp-dir.js';
import { HOSTILE, infoLine, RAW, startListener, type HostileListener } from './hostile-listeners.js';

/** The maximum that an endless listener can send before it is cut, in bytes: most of it is in system buffers. */
const MOST_SENT = 32 * 1024 * 1024;

let dir: string;
let trust: TrustDomain;
let credsPath: string;
beforeAll(async () => {
  dir = await tempDir();
  trust = await createTrustDomain(join(dir, 'home'));
  credsPath = join(dir, 'web-01.creds');
  await bootstrapPeelCreds(generateKeyBundle('account'), 'web-01', credsPath);
});

let logged: string[];
beforeEach(() => {
  logged = [];
  const note = (...values: unknown[]) => void logged.push(values.join(' '));
  for (const name of ['log', 'info', 'warn', 'error'] as const)
    vi.spyOn(console, name).mockImplementation(note);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** The error of an attempt that must fail. */
async function errorOf(attempt: Promise<unknown>): Promise<ZesterError> {
  const error = await attempt.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ZesterError);
  return error as ZesterError;
}

function expectTruth(error: ZesterError, { words, code }: HostileListener): void {
  expect(error.message).toMatch(words);
  expect(errorTraits(error.code)?.exitCode).toBe(code === undefined ? 4 : 3);
  for (const debug of [false, true]) expect(errorLine(error, { json: false, debug })).not.toMatch(RAW);
  expect(logged).toEqual([]);
}

describe.each(Object.entries(HOSTILE))('a listener that %s', (_what, listener) => {
  it('ends the first connect in time, with an accurate error, and prints nothing', async () => {
    const { url, connections, sent } = await startListener(listener);
    const timeout = listener.slow === true ? 300 : 5_000;
    const error = await errorOf(connectPeel({ servers: url, credsPath, peelId: 'web-01', timeout }));
    expect(error.code).toBe(listener.code ?? 'ERR_CONNECT_UNREACHABLE');
    expectTruth(error, listener);
    expect(connections()).toBeLessThanOrEqual(10);
    if (listener.whole !== true) expect(sent()).toBeLessThan(MOST_SENT);
  });
});

/** The functions of the library that connect, besides `connectPeel`, by name. */
const FUNCTIONS: Record<string, (servers: string) => Promise<unknown>> = {
  connectMaster: (servers) =>
    connectMaster({ servers, credentials: trust.paths.masterCreds, timeout: 1_000 }),
  connectFleet: (servers) => connectFleet({ servers, credentials: trust.paths.adminCreds, timeout: 1_000 }),
  startMaster: (servers) => startMaster({ home: join(dir, 'home'), servers }),
  startPeel: (servers) =>
    startPeel({ servers, credentials: credsPath, waitOnFirstConnect: false, timeout: 1_000 }),
  fetchAccountJwt: (servers) => {
    const { operatorJwt, paths, publicKeys } = trust;
    const systemCredentials = paths.systemCreds;
    return fetchAccountJwt(publicKeys.account, { operatorJwt, servers, systemCredentials, timeoutMs: 1_000 });
  },
};

describe('the functions of the library', () => {
  const some = ['says nothing', 'closes at once', 'speaks HTTP', 'answers CONNECT with garbage', 'is full'];
  it.each(some)('end in time with a typed error at a listener that %s', async (what) => {
    const listener = HOSTILE[what] as HostileListener;
    const { url } = await startListener(listener);
    const errors = await Promise.all(Object.values(FUNCTIONS).map((connect) => errorOf(connect(url))));
    for (const error of errors) expectTruth(error, listener);
  });
});

describe('an established connection', () => {
  it('is re-established when its server sends garbage, and reports why', async () => {
    const sockets: Socket[] = [];
    const { url } = await startListener({
      words: /x/,
      talk: (socket) => {
        sockets.push(socket);
        socket.write(infoLine());
        socket.on('data', (data) => {
          const pings = data.toString('latin1').split('PING\r\n').length - 1;
          socket.write('PONG\r\n'.repeat(pings));
        });
      },
    });
    const events: string[] = [];
    const nc = await connectPeel({
      servers: url,
      credsPath,
      peelId: 'web-01',
      reconnectTimeWait: 1,
      onEvent: (event) =>
        void events.push(event.type === 'refused' ? `refused: ${event.reason}` : event.type),
    });
    sockets[0]?.write('\u001b[31m no protocol\r\n');
    await waitFor('it to reconnect', () => events.includes('reconnected'));
    expect(events).toContain('refused: unexpected response from server');
    expect(logged).toEqual([]);
    await nc.close();
  });
});
