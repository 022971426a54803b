import { readFile } from 'node:fs/promises';
import { connect } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectMaster, connectPeel } from '../../../src/connection/connect.js';
import type { ConnectionEvent } from '../../../src/connection/events.js';
import { natsOptionsForMaster, natsOptionsForPeel } from '../../../src/connection/options.js';
import type { CredentialProvider } from '../../../src/creds/credential-provider.js';
import type { Credentials } from '../../../src/creds/credentials-option.js';
import { fromEnv } from '../../../src/creds/from-env.js';
import { MemoryCredentials } from '../../../src/creds/memory-credentials.js';
import { loadCredsFile, parseCredsData } from '../../../src/creds/parse.js';
import { pathToFileURL } from 'node:url';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import {
  connectedUsers,
  event,
  into,
  otherSide,
  publicKeyOf,
  replaceByRename,
  startPeel,
  works,
} from './support.js';

let server: OperatorServer;
beforeAll(async () => {
  server = await startOperatorServer();
});

async function inUse(publicKey: string): Promise<void> {
  const system = await server.systemConnection();
  try {
    await waitFor(`a connection of ${publicKey}`, async () =>
      (await connectedUsers(system)).some(({ nkey }) => nkey === publicKey),
    );
  } finally {
    await system.close();
  }
}

describe('each kind of credentials', () => {
  const kinds: [string, (path: string) => Promise<Credentials>][] = [
    ['a path', (path) => Promise.resolve(path)],
    ['a file: URL', (path) => Promise.resolve(pathToFileURL(path))],
    ['credentials loaded from a file', loadCredsFile],
    ['credentials parsed from bytes', async (path) => parseCredsData(await readFile(path), 'bytes')],
    ['credentials in memory', async (path) => new MemoryCredentials(await readFile(path))],
    ['a provider', (path) => Promise.resolve({ load: () => readFile(path) })],
    ['the environment', async (path) => fromEnv('MINE', { MINE: await readFile(path, 'utf8') })],
  ];

  it.each(kinds)('connects from %s, also with the client alone', async (_name, kind) => {
    const path = await server.user('web-01');
    const credentials = await kind(path);
    const options = { servers: server.url, credentials };
    const peelOptions = natsOptionsForPeel(credentials as string, 'web-01');
    const masterOptions = natsOptionsForMaster(credentials as string);
    const connections = [
      await connectPeel({ ...options, peelId: 'web-01' }),
      await connectMaster(options),
      await connect({ servers: server.url, ...(await peelOptions) }),
      await connect({ servers: server.url, ...(await masterOptions) }),
    ];
    for (const nc of connections) {
      await works(nc);
      await nc.close();
    }
  });

  it.each(kinds)('from %s must be those of the peel', async (_name, kind) => {
    const credentials = await kind(await server.user('web-02'));
    await refusal('ERR_CREDS_OTHER_PEEL', () =>
      connectPeel({ servers: server.url, peelId: 'web-01', credentials }),
    );
  });
});

describe('credentials of a provider', () => {
  it('rotate without losing or doubling a message, whenever they are set', async () => {
    const memory = new MemoryCredentials(await loadCredsFile(await server.user('web-01')));
    const peel = await startPeel(server, { credentials: memory, rotate: 'hitless' });
    const other = await otherSide(server);
    const received: number[] = [];
    peel.nc.subscribe('numbers', {
      queue: 'web-01',
      callback: into(received, (msg) => Number(msg.string())),
    });
    await peel.nc.flush();
    let sent = 0;
    const sending = setInterval(() => other.publish('numbers', String(sent++)), 1);
    try {
      for (let i = 1; i <= 3; i += 1) {
        const path = await server.user('web-01');
        memory.set(await readFile(path));
        await waitFor('the rotation', () => peel.events.filter((e) => e.type === 'rotated').length === i);
        await inUse(await publicKeyOf(path));
      }
    } finally {
      clearInterval(sending);
    }
    await other.flush();
    await waitFor('the last message', () => received.length >= sent);
    await peel.nc.flush();
    // during a move, two messages may arrive over different connections
    expect(received.sort((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, i) => i));
    expect(peel.statuses.filter(({ type }) => type === 'disconnect')).toEqual([]);
  });

  it('that are loaded from time to time are used when they changed', async () => {
    const path = await server.user('web-01');
    const provider: CredentialProvider = { name: 'vault', load: () => readFile(path), refreshMs: 1_000 };
    const peel = await startPeel(server, { credentials: provider });
    const newKey = await replaceByRename(path, await server.user('web-01'));
    expect(await event(peel, 'rotated')).toMatchObject({ publicKey: newKey });
    await inUse(newKey);
  });

  it('keep the connection on the old ones while the provider fails, and change when it works again', async () => {
    const path = await server.user('web-01');
    const first = await publicKeyOf(path);
    let answer: () => Promise<Buffer> = () => readFile(path);
    const peel = await startPeel(server, {
      credentials: { name: 'vault', load: () => answer(), refreshMs: 1_000 },
      rotate: 'hitless',
    });
    answer = () => Promise.reject(new Error('sealed'));
    const rejected = await event(peel, 'credentialsRejected');
    expect(rejected).toMatchObject({
      path: 'vault',
      inUse: first,
      error: { code: 'ERR_CREDS_PROVIDER' },
    });
    // through an outage, too
    await server.restart();
    await event(peel, 'reconnected');
    await works(peel.nc);
    await inUse(first);
    const newPath = await server.user('web-01');
    answer = () => readFile(newPath);
    expect(await event(peel, 'rotated')).toMatchObject({ publicKey: await publicKeyOf(newPath) });
  });

  it('replace refused ones at once, without waiting for the next poll', async () => {
    const account = server.trust.account;
    expect(account).toBeDefined();
    let path = await server.user('web-01', { expiry: 2 });
    let loads = 0;
    const peel = await startPeel(server, {
      credentials: {
        load: () => {
          loads += 1;
          return readFile(path);
        },
        refreshMs: Infinity,
      },
    });
    path = await server.user('web-01');
    // the server ends the connection when the JWT expires, and the reconnect asks the provider
    await event(peel, 'buffering');
    await event(peel, 'reconnected', 30_000);
    expect(loads).toBeGreaterThan(1);
    await inUse(await publicKeyOf(path));
  });

  it('end the first connect when they cannot be had', async () => {
    const load = () => Promise.reject(new Error('sealed'));
    await refusal('ERR_CREDS_PROVIDER', () =>
      connectPeel({ servers: server.url, peelId: 'web-01', credentials: { load } }),
    );
  });

  it('are no longer requested once the connection is closed', async () => {
    const path = await server.user('web-01');
    let stopped = 0;
    const nc = await connectPeel({
      servers: server.url,
      peelId: 'web-01',
      credentials: { load: () => readFile(path), watch: () => () => void (stopped += 1) },
    });
    await nc.close();
    await nc.closed();
    expect(stopped).toBe(1);
  });

  it('a provider whose watch fails is still polled', async () => {
    const path = await server.user('web-01');
    const events: ConnectionEvent[] = [];
    const nc = await connectPeel({
      servers: server.url,
      peelId: 'web-01',
      onEvent: (e) => events.push(e),
      credentials: {
        load: () => readFile(path),
        refreshMs: 1_000,
        watch: () => {
          throw new Error('no watching');
        },
      },
    });
    await replaceByRename(path, await server.user('web-01'));
    await waitFor('the rotation', () => events.some((e) => e.type === 'rotated'));
    await nc.close();
  });
});

it('credentials loaded from a file are followed with the file', async () => {
  const path = await server.user('web-01');
  const peel = await startPeel(server, { credentials: await loadCredsFile(path) });
  const newKey = await replaceByRename(path, await server.user('web-01'));
  expect(await event(peel, 'rotated')).toMatchObject({ publicKey: newKey });
});
