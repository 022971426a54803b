import { connect } from '@nats-io/transport-node';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  copyFile,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectPeel, type ConnectPeelOptions } from '../../../src/connection/connect.js';
import { natsOptionsForPeel } from '../../../src/connection/options.js';
import { loadCredsFile, parseCredsData } from '../../../src/creds/parse.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { waitFor } from '../../support/wait-for.js';
import {
  connectedUsers,
  event,
  otherSide,
  publicKeyOf,
  replaceByRename,
  startPeel,
  status,
  works,
  type TestPeel,
  into,
} from './support.js';

let server: OperatorServer;
beforeAll(async () => {
  server = await startOperatorServer();
});

/** Resolves when the server sees a connection with this user's key. */
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

/** Drops every connection of the server at once, the peel's too, and waits until it is back. */
async function bounce(peel: TestPeel): Promise<void> {
  const before = peel.statuses.filter((s) => s.type === 'reconnect').length;
  await server.restart();
  await status(peel, 'reconnect', before + 1);
}

describe('one read per connect', () => {
  it('fails none of 200 connects while the file is replaced in a tight loop', async () => {
    const path = await server.user('web-01');
    const others = await Promise.all([1, 2, 3].map(() => server.user('web-01')));
    const contents = await Promise.all(others.map((other) => readFile(other)));
    const replacer = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads');
       const { writeFileSync, renameSync } = require('node:fs');
       let stop = false, n = 0;
       parentPort.on('message', () => { stop = true; });
       (function loop() {
         for (let i = 0; i < 5; i++, n++) {
           writeFileSync(workerData.path + '.new', workerData.contents[n % workerData.contents.length]);
           renameSync(workerData.path + '.new', workerData.path);
         }
         if (stop) parentPort.postMessage(n); else setImmediate(loop);
       })();`,
      { eval: true, workerData: { path, contents } },
    );
    let replaced = 0;
    try {
      // five at once: on a starved machine, more would exceed the server's timeout of two seconds
      for (let i = 0; i < 200; i += 5) {
        const batch = await Promise.all(
          Array.from({ length: 5 }, () =>
            connect({
              servers: server.url,
              ...natsOptionsForPeel(path, 'web-01'),
              maxReconnectAttempts: 0,
            }),
          ),
        );
        await Promise.all(batch.map((nc) => nc.close()));
      }
      replacer.postMessage('stop');
      [replaced] = (await once(replacer, 'message')) as [number];
    } finally {
      await replacer.terminate();
    }
    expect(replaced).toBeGreaterThan(200);
    expect(
      server.server.log.filter((line) => /Authorization Violation|authentication error/i.test(line)),
    ).toEqual([]);
  });
});

describe('a broken file does not break the connection', () => {
  const nobody = 'of the credentials in use nothing is lost';
  const faults: [name: string, spoil: (path: string) => Promise<unknown>, code: string][] = [
    ['is missing', (path) => unlink(path), 'ERR_FILE_NOT_FOUND'],
    ['is empty', (path) => truncate(path, 0), 'ERR_CREDS_NO_JWT'],
    ['is torn in the seed', (path) => tear(path, 0.9), 'ERR_CREDS_FORMAT'],
    ['is torn in the JWT', (path) => tear(path, 0.3), 'ERR_CREDS_FORMAT'],
    ['is garbage', (path) => writeFile(path, Buffer.from([0, 255, 254, 10, 13, 0])), 'ERR_CREDS_NO_JWT'],
    ['is a directory', async (path) => unlink(path).then(() => mkdir(path)), 'ERR_FILE_IS_DIRECTORY'],
    [
      'is a named pipe',
      async (path) => unlink(path).then(() => promisify(execFile)('mkfifo', [path])),
      'ERR_FILE_NOT_REGULAR',
    ],
    [
      "is another peel's",
      async (path) => copyFile(await server.user('web-02'), path),
      'ERR_CREDS_OTHER_PEEL',
    ],
    [
      'is expired',
      async (path) =>
        copyFile(await server.user('web-01', { expiry: 1, now: () => 1_700_000_000_000 }), path),
      'ERR_CREDS_EXPIRED',
    ],
    [
      'has the seed of another key',
      async (path) => copyFile(await mismatched(path), path),
      'ERR_CREDS_SEED_MISMATCH',
    ],
  ];

  it.each(faults)(
    '%s: it reconnects with the last good credentials and says why',
    async (_name, spoil, code) => {
      const peel = await startPeel(server, { watch: false });
      const publicKey = await publicKeyOf(peel.credsPath);
      await spoil(peel.credsPath);
      await bounce(peel);
      await works(peel.nc);
      const rejected = await event(peel, 'credentialsRejected');
      expect(rejected.error.code, nobody).toBe(code);
      expect(rejected).toMatchObject({ path: peel.credsPath, inUse: publicKey });
      await inUse(publicKey);

      // and it uses the file again within one reconnect wait after it becomes valid
      await rm(peel.credsPath, { recursive: true, force: true });
      const newKey = await replaceByRename(peel.credsPath, await server.user('web-01'));
      await bounce(peel);
      await works(peel.nc);
      await inUse(newKey);
      expect(await event(peel, 'credentialsLoaded')).toMatchObject({ publicKey: newKey, name: 'web-01' });
    },
  );

  // root reads everything, whatever the mode
  it.skipIf(process.getuid?.() === 0)('is unreadable for want of permission: the same', async () => {
    const peel = await startPeel(server, { watch: false });
    await chmod(peel.credsPath, 0);
    await bounce(peel);
    await works(peel.nc);
    expect((await event(peel, 'credentialsRejected')).error.code).toBe('ERR_FILE_READ');
  });

  it('recovers from repeated refusals once the file is valid again', async () => {
    const peel = await startPeel(server);
    // the key in use is revoked, and so is the credential in the file
    const publicKey = await publicKeyOf(peel.credsPath);
    await server.pushAccount(
      server.trust.accountJwtWith({ revocations: { [publicKey]: Math.floor(Date.now() / 1000) + 5 } }),
    );
    await waitFor('twenty refusals', () => peel.statuses.filter((s) => s.type === 'error').length >= 20);
    expect(peel.nc.isClosed()).toBe(false);
    const newKey = await replaceByRename(peel.credsPath, await server.user('web-01'));
    await works(peel.nc);
    await inUse(newKey);
    await server.pushAccount(server.trust.accountJwtWith({}));
  });

  it('gives a clear error at the start, when there is nothing to lose', async () => {
    const path = await server.user('web-02');
    await expect(startPeel(server, { credsPath: path })).rejects.toMatchObject({
      code: 'ERR_CREDS_OTHER_PEEL',
    });
    await expect(startPeel(server, { credsPath: `${path}.no` })).rejects.toMatchObject({
      code: 'ERR_FILE_NOT_FOUND',
    });
    const expired = await server.user('web-01', { expiry: 1, now: () => 1_700_000_000_000 });
    await expect(startPeel(server, { credsPath: expired })).rejects.toMatchObject({
      code: 'ERR_CREDS_EXPIRED',
    });
    await expect(
      startPeel(server, { servers: 'nats://127.0.0.1:1', credsPath: await server.user('web-01') }),
    ).rejects.toMatchObject({ code: 'ERR_CONNECT_UNREACHABLE' });
    const stranger = await startOperatorServer();
    await expect(startPeel(server, { credsPath: await stranger.user('web-01') })).rejects.toMatchObject({
      code: 'ERR_CONNECT_REFUSED',
    });
    await stranger.close();
  });
});

describe.concurrent('expiry', () => {
  it('of the JWT cuts the connection, which recovers with its subscriptions once the file is replaced', async () => {
    const peel = await startPeel(server, {
      credsPath: await server.user('web-01', { expiry: 3 }),
      watch: false,
    });
    const observer = await otherSide(server);
    const received: string[] = [];
    peel.nc.subscribe('for.peel', { callback: into(received, (msg) => msg.string()) });
    await status(peel, 'disconnect');
    expect(peel.statuses.some((s) => s.type === 'error' && /expired/i.test(s.error.message))).toBe(true);
    expect(await event(peel, 'credentialsExpired')).toMatchObject({ path: peel.credsPath });
    const newKey = await replaceByRename(peel.credsPath, await server.user('web-01'));
    await status(peel, 'reconnect');
    await peel.nc.flush();
    observer.publish('for.peel', 'hello again');
    await waitFor('the message', () => received.length > 0);
    expect(received).toEqual(['hello again']);
    await inUse(newKey);
  });

  it('of a JWT that was replaced before the cut is never noticed by the application', async () => {
    const peel = await startPeel(server, { credsPath: await server.user('web-01', { expiry: 3 }) });
    const oldKey = await publicKeyOf(peel.credsPath);
    const newKey = await replaceByRename(peel.credsPath, await server.user('web-01'));
    await event(peel, 'rotated');
    const oldExpiry = Date.now() + 3_500;
    await waitFor('the expiry of the old', async () => {
      await works(peel.nc);
      return Date.now() > oldExpiry;
    });
    expect(peel.events.some((e) => e.type === 'credentialsExpired')).toBe(false);
    expect(peel.statuses.some((s) => s.type === 'error')).toBe(false);
    expect(newKey).not.toBe(oldKey);
  });

  it('is reported once, as is the outage, and dials respect the reconnect wait', async () => {
    const peel = await startPeel(server, {
      credsPath: await server.user('web-01', { expiry: 3 }),
      reconnectTimeWait: 200,
    });
    await event(peel, 'credentialsExpired');
    const dialsBefore = peel.statuses.filter((s) => s.type === 'reconnecting').length;
    const start = Date.now();
    await waitFor(
      'five more attempts',
      () => peel.statuses.filter((s) => s.type === 'reconnecting').length >= dialsBefore + 5,
    );
    // not a speed requirement: five dials have four waits between them
    expect(Date.now() - start).toBeGreaterThanOrEqual(4 * 200 - 50);
    for (const type of ['credentialsExpired', 'buffering']) {
      expect(peel.events.filter((e) => e.type === type)).toHaveLength(1);
    }
    expect(peel.nc.isClosed()).toBe(false);
    // the same again with another credential is another expiry
    await replaceByRename(peel.credsPath, await server.user('web-01', { expiry: 3 }));
    for (const type of ['credentialsExpired', 'buffering']) {
      await waitFor(`${type} again`, () => peel.events.filter((e) => e.type === type).length === 2);
    }
  });
});

describe('watching the file', () => {
  const ways: [
    name: string,
    prepare: (path: string) => Promise<string>,
    replace: (path: string, from: string) => Promise<unknown>,
  ][] = [
    ['a rename', (path) => Promise.resolve(path), (path, from) => replaceByRename(path, from)],
    [
      'a write in place',
      (path) => Promise.resolve(path),
      async (path, from) => writeFile(path, await readFile(from)),
    ],
    [
      'a write in place that takes its time',
      (path) => Promise.resolve(path),
      async (path, from) => {
        const content = await readFile(from);
        await writeFile(path, content.subarray(0, 500));
        await new Promise((resolve) => setTimeout(resolve, 400));
        await writeFile(path, content);
      },
    ],
    [
      'delete and create',
      (path) => Promise.resolve(path),
      async (path, from) => {
        await unlink(path);
        await writeFile(path, await readFile(from), { mode: 0o600 });
      },
    ],
    [
      'a symlink switch, as Kubernetes does with secrets',
      async (path) => {
        const dir = `${path}.mount`;
        await mkdir(join(dir, '..2026_1'), { recursive: true });
        await copyFile(path, join(dir, '..2026_1', 'peel.creds'));
        await symlink('..2026_1', join(dir, '..data'));
        await symlink(join('..data', 'peel.creds'), join(dir, 'peel.creds'));
        return join(dir, 'peel.creds');
      },
      async (path, from) => {
        const dir = join(path, '..');
        await mkdir(join(dir, '..2026_2'));
        await copyFile(from, join(dir, '..2026_2', 'peel.creds'));
        await symlink('..2026_2', join(dir, '..data_tmp'));
        await rename(join(dir, '..data_tmp'), join(dir, '..data'));
        await rm(join(dir, '..2026_1'), { recursive: true });
      },
    ],
  ];

  it.each(ways)(
    '%s brings the new credential into use without a disconnect from outside',
    async (_name, prepare, replace) => {
      const credsPath = await prepare(await server.user('web-01'));
      const peel = await startPeel(server, { credsPath });
      const from = await server.user('web-01');
      await replace(credsPath, from);
      const rotated = await event(peel, 'rotated');
      expect(rotated).toMatchObject({ publicKey: await publicKeyOf(from), how: 'reconnect' });
      await works(peel.nc);
      await inUse(await publicKeyOf(from));
      expect(peel.nc.isClosed()).toBe(false);
    },
  );

  it('messages published during the move arrive once and in order', async () => {
    const observer = await otherSide(server);
    const received: number[] = [];
    observer.subscribe('n', { callback: into(received, (msg) => Number(msg.string())) });
    await observer.flush();
    const peel = await startPeel(server);
    let n = 0;
    const publisher = setInterval(() => {
      for (let i = 0; i < 20; i++) peel.nc.publish('n', String(n++));
    }, 1);
    for (let round = 0; round < 5; round++) {
      const key = await replaceByRename(peel.credsPath, await server.user('web-01'));
      await waitFor('the rotation', () =>
        peel.events.some((e) => e.type === 'rotated' && e.publicKey === key),
      );
    }
    clearInterval(publisher);
    await peel.nc.flush();
    await observer.flush();
    expect(received).toEqual(Array.from({ length: n }, (_, i) => i));
  });

  it('a drain during the move delivers earlier messages', async () => {
    const observer = await otherSide(server);
    const received: string[] = [];
    observer.subscribe('end', { callback: into(received, (msg) => msg.string()) });
    await observer.flush();
    for (let round = 0; round < 10; round++) {
      const peel = await startPeel(server);
      await replaceByRename(peel.credsPath, await server.user('web-01'));
      await event(peel, 'credentialsLoaded');
      peel.nc.publish('end', String(round));
      await peel.nc.drain();
      await waitFor(`the message of round ${round}`, () => received.includes(String(round)));
    }
    expect(received).toEqual(Array.from({ length: 10 }, (_, i) => String(i)));
  });

  it('a replacement that does not parse is not used; the good one after it is', async () => {
    const peel = await startPeel(server);
    const oldKey = await publicKeyOf(peel.credsPath);
    await writeFile(peel.credsPath, 'not credentials');
    expect((await event(peel, 'credentialsRejected')).error.code).toBe('ERR_CREDS_NO_JWT');
    await inUse(oldKey);
    const newKey = await replaceByRename(peel.credsPath, await server.user('web-01'));
    expect((await event(peel, 'rotated')).publicKey).toBe(newKey);
  });

  it("another peel's is not used", async () => {
    const peel = await startPeel(server);
    const oldKey = await publicKeyOf(peel.credsPath);
    await replaceByRename(peel.credsPath, await server.user('web-02'));
    const rejected = await event(peel, 'credentialsRejected');
    expect(rejected.error.code).toBe('ERR_CREDS_OTHER_PEEL');
    expect(rejected.inUse).toBe(oldKey);
    await works(peel.nc);
    expect(peel.events.some((e) => e.type === 'rotated')).toBe(false);
  });

  it('can be turned off; then a replaced file is used at the next reconnect', async () => {
    const peel = await startPeel(server, { watch: false });
    const newKey = await replaceByRename(peel.credsPath, await server.user('web-01'));
    await bounce(peel);
    await inUse(newKey);
    expect(peel.events.some((e) => e.type === 'rotated')).toBe(false);
  });
});

describe('credentials that are no file', () => {
  it('from bytes survive outages and authentication errors, without rotation', async () => {
    const path = await server.user('web-01');
    const creds = parseCredsData(await readFile(path), 'embedded-creds');
    const peel = await startPeel(server, { credentials: creds });
    await writeFile(path, 'the file is not looked at');
    await bounce(peel);
    await works(peel.nc);
    expect(peel.events.filter((e) => e.type === 'credentialsRejected')).toEqual([]);
    await inUse(creds.publicKey);
  });

  it('are refused in combination', async () => {
    const credsPath = await server.user('web-01');
    const creds = await loadCredsFile(credsPath);
    const both = { servers: server.url, peelId: 'web-01', credsPath, credentials: creds };
    await expect(connectPeel(both as unknown as ConnectPeelOptions)).rejects.toMatchObject({
      code: 'ERR_CONNECT_OPTIONS',
    });
  });
});

async function tear(path: string, part: number): Promise<void> {
  const content = await readFile(path);
  await writeFile(path, content.subarray(0, Math.floor(content.length * part)));
}

/** The JWT of one credential with the seed of another. */
async function mismatched(path: string): Promise<string> {
  const one = await readFile(path, 'utf8');
  const other = await readFile(await server.user('web-01'), 'utf8');
  const mixed = `${one.split('*'.repeat(25))[0] ?? ''}${other.slice(other.indexOf('-----BEGIN USER NKEY'))}`;
  await writeFile(`${path}.mixed`, mixed);
  return `${path}.mixed`;
}
