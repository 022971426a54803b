import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CredentialProvider } from '../../../src/creds/credential-provider.js';
import { fromEnv } from '../../../src/creds/from-env.js';
import { MemoryCredentials } from '../../../src/creds/memory-credentials.js';
import { loadCredsFile, parseCredsData } from '../../../src/creds/parse.js';
import { CredsError } from '../../../src/errors.js';
import { connectFleet } from '../../../src/fleet-client/connect-fleet.js';
import type { PeelEvent } from '../../../src/peel/events.js';
import { startPeel, type PeelOptions } from '../../../src/peel/peel.js';
import type { AdminClient } from '../../../src/protocol/admin-client.js';
import { atEnd } from '../../support/cleanup.js';
import { expectNoSeed, refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, SHORT_WAITS } from './peels.js';

let fleet: Fleet;
let admin: AdminClient;
beforeAll(async () => {
  fleet = await startFleet();
  admin = await fleet.admin();
});

async function start(options: PeelOptions) {
  const events: PeelEvent[] = [];
  const peel = await startPeel({
    servers: fleet.servers,
    ...SHORT_WAITS,
    onEvent: (event) => events.push(event),
    ...options,
  });
  atEnd(() => peel.drain());
  const nextEvent = <T extends PeelEvent['type']>(type: T) =>
    waitFor(type, () => events.find((event): event is PeelEvent & { type: T } => event.type === type));
  return { peel, events, nextEvent };
}

describe('a peel with a credential provider', () => {
  it('renews its credentials and stores them', async () => {
    const path = await addCreds(fleet, admin, 'memory-1', { expiry: 60 });
    const memory = new MemoryCredentials(await readFile(path));
    const before = memory.current.jwt;
    const { peel, nextEvent } = await start({ credentials: memory });
    await nextEvent('renewed');
    expect(memory.current.jwt).not.toBe(before);
    expect(peel.credentials.jwt).toBe(memory.current.jwt);
    expect(peel.credentials.publicKey).toBe(parseCredsData(await readFile(path), 'before').publicKey);
    expectNoSeed(peel, memory.current.seed);
  });

  it('rotates its key, and stores the new one before it uses it', async () => {
    const path = await addCreds(fleet, admin, 'memory-2');
    let stored = await readFile(path, 'utf8');
    const provider: CredentialProvider = {
      name: 'vault:memory-2',
      load: () => stored,
      store: (content) => void (stored = Buffer.from(content).toString()),
    };
    const { peel, nextEvent } = await start({ credentials: provider });
    const publicKey = await peel.rotate();
    expect(parseCredsData(stored, 'stored').publicKey).toBe(publicKey);
    expect(await nextEvent('keyRotated')).toMatchObject({ publicKey });
    await fleet.record('memory-2', ({ keys }) => keys.some((key) => key.publicKey === publicKey));
    // the next start uses it
    await peel.drain();
    const again = await start({ credentials: provider });
    expect(again.peel.credentials.publicKey).toBe(publicKey);
  });

  it('keeps using credentials that cannot be stored, reports it, and stores them later', async () => {
    const path = await addCreds(fleet, admin, 'memory-3', { expiry: 60 });
    const memory = new MemoryCredentials(await readFile(path));
    let isSealed = true;
    const store = (content: Uint8Array) => {
      if (isSealed) throw new Error('the vault is sealed');
      memory.store(content);
    };
    const { peel, nextEvent } = await start({ credentials: { name: 'vault', load: memory.load, store } });
    expect(await nextEvent('notWritten')).toMatchObject({
      path: 'vault',
      inUse: true,
      error: { code: 'ERR_CREDS_PROVIDER' },
    });
    const inUse = peel.credentials.jwt;
    expect(inUse).not.toBe(memory.current.jwt);
    isSealed = false;
    await nextEvent('written');
    expect(memory.current.jwt).toBe(peel.credentials.jwt);
  });

  it('does not return to older credentials from a slow store', async () => {
    const path = await addCreds(fleet, admin, 'memory-4');
    const old = await readFile(path, 'utf8');
    let loads = 0;
    const provider: CredentialProvider = {
      load: () => {
        loads += 1;
        return old; // a replica that lags behind
      },
      store: () => undefined,
      refreshMs: 1_000,
    };
    const { peel } = await start({ credentials: provider });
    const publicKey = await peel.rotate();
    const before = loads;
    await waitFor('two more loads', () => loads >= before + 2);
    expect(peel.credentials.publicKey).toBe(publicKey);
  });
});

describe('a peel whose credentials cannot be stored', () => {
  it('is refused at its start, unless it need not renew', async () => {
    const path = await addCreds(fleet, admin, 'fixed-1');
    const content = await readFile(path, 'utf8');
    const kinds: [string, PeelOptions][] = [
      ['bytes', { credentials: parseCredsData(content, 'bytes') }],
      ['environment', { credentials: fromEnv('MINE', { MINE: content }) }],
      ['provider', { credentials: { load: () => content } }],
    ];
    for (const [, options] of kinds) {
      const servers = fleet.servers;
      const error = await refusal('ERR_CREDS_NO_STORE', () => startPeel({ servers, ...options }));
      expect(error.message).toContain('renew: false');
      const { peel } = await start({ ...options, renew: false });
      expect(peel.id).toBe('fixed-1');
      await refusal('ERR_CREDS_NO_STORE', () => peel.rotate());
      await peel.drain();
    }
  });

  it('reports that it ignores a master’s request to rotate', async () => {
    const content = await readFile(await addCreds(fleet, admin, 'fixed-2'), 'utf8');
    const { nextEvent } = await start({ credentials: fromEnv('MINE', { MINE: content }), renew: false });
    await fleet.record('fixed-2', ({ state }) => state === 'active');
    await admin.ask('peel.rotate', { peelId: 'fixed-2' });
    const { error } = await nextEvent('noticeIgnored');
    expect(error).toBeInstanceOf(CredsError);
    expect(error.code).toBe('ERR_CREDS_NO_STORE');
  });

  it('is not a seed alone', async () => {
    const { seed } = await loadCredsFile(await addCreds(fleet, admin, 'fixed-3'));
    const options = { servers: fleet.servers, credentials: { seed } } as unknown as PeelOptions;
    await refusal('ERR_CONNECT_OPTIONS', () => startPeel(options), seed);
  });
});

it('an admin signs with the credentials that a provider gives, also after they are replaced', async () => {
  const { paths } = await fleet.home.domain();
  const memory = new MemoryCredentials(await readFile(paths.adminCreds));
  const client = await connectFleet({ servers: fleet.servers, credentials: memory });
  atEnd(() => client.close());
  expect(await client.status()).toHaveProperty('policy');
  memory.set(await loadCredsFile(paths.adminCreds));
  expect(await client.status()).toHaveProperty('policy');
});

it('a master starts with credentials in memory, and answers', async () => {
  const { paths } = await fleet.home.domain();
  const inMemory = async (path: string) => new MemoryCredentials(await readFile(path));
  const master = await fleet.startMaster({
    credentials: await inMemory(paths.masterCreds),
    answersCredentials: await inMemory(paths.masterAnswersCreds),
    systemCredentials: await inMemory(paths.systemCreds),
  });
  await waitFor('its health', () => master.health().ok);
  const path = paths.masterCreds;
  const both = { credentials: path, credsPath: path };
  await refusal('ERR_CONNECT_OPTIONS', () => fleet.startMaster(both));
});
