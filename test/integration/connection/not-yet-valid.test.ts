import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectMaster, connectPeel, type ZesterConnection } from '../../../src/connection/connect.js';
import type { ConnectionEvent } from '../../../src/connection/events.js';
import type { Credentials } from '../../../src/creds/credentials-option.js';
import { MemoryCredentials } from '../../../src/creds/memory-credentials.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { startPeel } from '../../../src/peel/peel.js';
import { atEnd } from '../../support/cleanup.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { collect, publicKeyOf, replaceByRename, SHORT_WAITS, works } from './support.js';

let server: OperatorServer;
beforeAll(async () => {
  server = await startOperatorServer();
});

/** Credentials that are valid from a whole second on, that many seconds from now. */
async function early(seconds: number): Promise<{ path: string; validFrom: number }> {
  const notBefore = Math.floor(Date.now() / 1000) + seconds;
  return { path: await server.user('web-01', { notBefore }), validFrom: notBefore * 1000 };
}

type OnEvent = (event: { type: string }) => void;
interface Kind {
  credentials: Credentials;
  replace: (path: string) => Promise<unknown>;
}

const file = async (): Promise<Kind> => {
  const credentials = await server.user('web-01');
  return { credentials, replace: (path) => replaceByRename(credentials, path) };
};
const provider = async (): Promise<Kind> => {
  const credentials = new MemoryCredentials(await readFile(await server.user('web-01')));
  return { credentials, replace: async (path) => credentials.set(await readFile(path)) };
};

type Connect = (credentials: Credentials, onEvent: OnEvent) => Promise<ZesterConnection>;

const asPeel =
  (rotate: 'reconnect' | 'hitless'): Connect =>
  (credentials, onEvent) =>
    connectPeel({ servers: server.url, peelId: 'web-01', ...SHORT_WAITS, credentials, rotate, onEvent });
const asMaster: Connect = (credentials, onEvent) =>
  connectMaster({ servers: server.url, ...SHORT_WAITS, credentials, onEvent });
const asStartedPeel: Connect = async (credentials, onEvent) => {
  const options = { servers: server.url, rotate: 'reconnect', renew: false, onEvent } as const;
  const peel = await startPeel({ ...options, credentials: credentials as string });
  atEnd(() => peel.drain());
  return peel.nc;
};

describe.concurrent('a replacement that is not valid yet', () => {
  it.each<[string, Connect, () => Promise<Kind>]>([
    ['the file of connectPeel, which reconnects', asPeel('reconnect'), file],
    ['the file of connectPeel, without a gap', asPeel('hitless'), file],
    ['the provider of connectPeel', asPeel('reconnect'), provider],
    ['the file of connectMaster', asMaster, file],
    ['the provider of connectMaster', asMaster, provider],
    ['the file of startPeel', asStartedPeel, file],
    ['the provider of startPeel', asStartedPeel, provider],
  ])('in %s leaves the connection up, and is used once it is valid', async (_, connect, kind) => {
    const { credentials, replace } = await kind();
    const events: { type: string }[] = [];
    const of = <T extends ConnectionEvent['type']>(type: T) =>
      events.find((event): event is Extract<ConnectionEvent, { type: T }> => event.type === type);
    const nc = await connect(credentials, (event) => events.push({ ...event, ...{ at: Date.now() } }));
    atEnd(() => nc.close());
    const statuses = collect(nc.status());

    const { path, validFrom } = await early(4);
    await replace(path);

    const rejected = await waitFor('the refusal', () => of('credentialsRejected'));
    expect(rejected.error).toMatchObject({ code: 'ERR_CREDS_NOT_YET_VALID' });
    expect(rejected.error.message).toContain(new Date(validFrom).toISOString());
    await works(nc);
    expect(statuses.filter(({ type }) => type === 'disconnect')).toEqual([]);
    const rotated = await waitFor('the rotation', () => of('rotated'));
    expect(rotated).toMatchObject({ publicKey: await publicKeyOf(path) });
    expect((rotated as unknown as { at: number }).at).toBeGreaterThanOrEqual(validFrom);
    await works(nc);
    expect(events.map(({ type }) => type)).not.toContain('refused');
    expect(events.filter(({ type }) => type === 'credentialsRejected')).toHaveLength(1);
  });

  it('stays unused through an outage of the server', async () => {
    const other = await startOperatorServer();
    const credentials = await other.user('web-01');
    const events: ConnectionEvent[] = [];
    const onEvent = (event: ConnectionEvent) => void events.push(event);
    const nc = await connectPeel({
      ...{ servers: other.url, peelId: 'web-01', ...SHORT_WAITS, credentials, onEvent },
    });
    atEnd(() => nc.close());
    await replaceByRename(
      credentials,
      await other.user('web-01', { notBefore: Math.floor(Date.now() / 1000) + 3_600 }),
    );
    await other.restart();
    await waitFor('the reconnect', () => events.some(({ type }) => type === 'reconnected'));
    await works(nc);
    expect(events.map(({ type }) => type)).not.toContain('rotated');
  });
});

describe('a first connect with credentials that are not valid yet', () => {
  it.each<[string, (path: string) => Promise<unknown>]>([
    ['connectPeel', (credentials) => connectPeel({ servers: server.url, peelId: 'web-01', credentials })],
    ['connectMaster', (credentials) => connectMaster({ servers: server.url, credentials })],
    [
      'connectMaster with a provider',
      (path) => connectMaster({ servers: server.url, credentials: { load: () => readFile(path) } }),
    ],
    [
      'connectMaster with parsed credentials',
      async (path) => connectMaster({ servers: server.url, credentials: await loadCredsFile(path) }),
    ],
    [
      'startPeel, which renews',
      (credentials) => startPeel({ servers: server.url, credentials, waitOnFirstConnect: false }),
    ],
    [
      'startPeel, which does not renew',
      (credentials) =>
        startPeel({ servers: server.url, credentials, renew: false, waitOnFirstConnect: false }),
    ],
  ])('fails in %s, and says from when they are', async (_, connect) => {
    const { path, validFrom } = await early(3_600);
    const { message } = await refusal('ERR_CREDS_NOT_YET_VALID', () => connect(path));
    expect(message).toContain(new Date(validFrom).toISOString());
  });

  it('is retried by startPeel, which says so', async () => {
    const { path } = await early(3_600);
    const stop = new AbortController();
    const events: { type: string }[] = [];
    const starting = startPeel({
      ...{ servers: server.url, credentials: path, signal: stop.signal },
      onEvent: (event) => {
        events.push(event);
        if (event.type === 'waiting') stop.abort(new Error('seen'));
      },
    });
    await expect(starting).rejects.toThrow('seen');
    expect(events.at(-1)).toMatchObject({ error: { code: 'ERR_CREDS_NOT_YET_VALID' } });
  });
});
