import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import type { AdminClient } from '../../../src/protocol/admin-client.js';
import { atEnd } from '../../support/cleanup.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';

let fleet: Fleet;
let admin: AdminClient;
beforeAll(async () => {
  fleet = await startFleet({ lifetime: 10 });
  admin = await fleet.admin();
});

/** A small disk that can be filled; skips the test if none can be created. */
async function smallDisk(skip: TestContext['skip']): Promise<string> {
  const path = join(await tempDir(), 'disk');
  await mkdir(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path], { stdio: 'pipe' });
  } catch {
    return skip('this machine does not let the tests mount a tmpfs');
  }
  atEnd(async () => execFileSync('umount', [path]));
  return path;
}

/** Fills a disk to its last byte. */
async function fill(disk: string): Promise<void> {
  for (const size of [65_536, 4_096, 512]) {
    for (let i = 0; ; i += 1) {
      try {
        await writeFile(join(disk, `ballast-${size}-${i}`), Buffer.alloc(size));
      } catch {
        break;
      }
    }
  }
}

async function empty(disk: string): Promise<void> {
  execFileSync('find', [disk, '-name', 'ballast-*', '-delete']);
  expect(await readFile(join(disk, 'ballast-512-0')).catch(() => undefined)).toBeUndefined();
}

describe.concurrent('on a full disk', () => {
  it('a renewal continues in memory past the expiry of the file, which is complete at all times', async ({
    skip,
  }) => {
    const dir = await smallDisk(skip);
    const credsPath = await addCreds(fleet, admin, 'full-1', { dir });
    const { claims } = await loadCredsFile(credsPath);
    const before = await readFile(credsPath);
    await fill(dir);
    const test = await TestPeel.start(fleet, credsPath);
    const { error, inUse, path } = await test.event('notWritten');
    expect(error).toMatchObject({ code: 'ERR_FILE_WRITE' });
    expect(error.message).toContain('the disk is full');
    expect({ inUse, path }).toEqual({ inUse: true, path: credsPath });
    await test.event('renewed', 3, 30_000);
    await waitFor('the end of what is in the file', () => Date.now() > (claims.exp ?? 0) * 1000 + 1_500);
    expect(test.peel.nc.isClosed()).toBe(false);
    expect(test.of('disconnected')).toEqual([]);
    expect(await readFile(credsPath)).toEqual(before);

    await empty(dir);
    await test.event('written', 1, 40_000);
    const written = await loadCredsFile(credsPath);
    expect(written.claims.iat).toBeGreaterThan(claims.iat);
    expect(written.publicKey).toBe(test.peel.credentials.publicKey);
  }, 90_000);

  it('a new key is used only once it is in the file, since it could be lost after the old one is revoked', async ({
    skip,
  }) => {
    const dir = await smallDisk(skip);
    const credsPath = await addCreds(fleet, admin, 'full-2', { dir });
    const test = await TestPeel.start(fleet, credsPath);
    const old = test.peel.credentials.publicKey;
    await fleet.record('full-2', ({ state }) => state === 'active');
    await test.event('renewed');
    await fill(dir);
    const rotating = test.peel.rotate();
    const { inUse } = await waitFor('it not to be written', () =>
      test.of('notWritten').find((event) => !event.inUse),
    );
    expect(inUse).toBe(false);
    // the old key is renewed in the meantime
    await test.event('renewed', test.of('renewed').length + 2, 30_000);
    expect(test.peel.credentials.publicKey).toBe(old);
    expect((await loadCredsFile(credsPath)).publicKey).toBe(old);

    await empty(dir);
    const publicKey = await rotating;
    expect((await loadCredsFile(credsPath)).publicKey).toBe(publicKey);
    await fleet.record(
      'full-2',
      ({ keys }) => keys.at(-1)?.publicKey === publicKey && keys.at(-1)?.state === 'live',
    );
    expect(test.of('disconnected')).toEqual([]);
  }, 90_000);

  it('a missing directory is waited for, too', async () => {
    const dir = join(await tempDir(), 'etc');
    await mkdir(dir);
    const credsPath = await addCreds(fleet, admin, 'gone-1', { dir });
    const test = await TestPeel.start(fleet, credsPath);
    await test.event('renewed');
    await rm(dir, { recursive: true });
    expect((await test.event('notWritten')).error).toMatchObject({ code: 'ERR_FILE_DIRECTORY_NOT_FOUND' });
    await test.event('renewed', 3, 30_000);
    await mkdir(dir);
    await test.event('written', 1, 40_000);
    expect((await loadCredsFile(credsPath)).publicKey).toBe(test.peel.credentials.publicKey);
  }, 90_000);
});
