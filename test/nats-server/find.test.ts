import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findNatsServer } from '../../src/nats-server/find.js';
import { tempDir } from '../support/temp-dir.js';

async function program(path: string, version = '2.15.1'): Promise<string> {
  await writeFile(path, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  await chmod(path, 0o755);
  return path;
}

describe('finding the nats-server program', () => {
  it('prefers ZESTER_NATS_SERVER to the PATH', async () => {
    const dir = await tempDir();
    await program(join(dir, 'nats-server'));
    const mine = await program(join(dir, 'mine'));
    expect(await findNatsServer({ ZESTER_NATS_SERVER: mine, PATH: dir })).toBe(mine);
  });

  it('uses the first on the PATH', async () => {
    const [first, second] = [await tempDir(), await tempDir()];
    const found = await program(join(second, 'nats-server'));
    expect(await findNatsServer({ PATH: `${first}:${second}` })).toBe(found);
  });

  it('prefers a supported one in the cache to an older one on the PATH', async () => {
    const [old, cache] = [await tempDir(), await tempDir()];
    await program(join(old, 'nats-server'), '2.9.10');
    await mkdir(join(cache, 'nats-server', 'testing'), { recursive: true });
    const newer = await program(join(cache, 'nats-server', 'testing', 'nats-server'), '2.15.1');
    expect(await findNatsServer({ PATH: old, ZESTER_CACHE: cache })).toBe(newer);
  });

  it('uses an older one if there is no other', async () => {
    const [old, cache] = [await tempDir(), await tempDir()];
    const only = await program(join(old, 'nats-server'), '2.9.10');
    const env = { PATH: old, ZESTER_CACHE: cache };
    const found = await findNatsServer(env);
    // this machine may have a supported one where packages put it
    expect([only, '/usr/sbin/nats-server', '/usr/local/bin/nats-server']).toContain(found);
  });

  it('skips a directory of that name, and a file that is not executable', async () => {
    const [directory, plain, good] = [await tempDir(), await tempDir(), await tempDir()];
    await mkdir(join(directory, 'nats-server'));
    await writeFile(join(plain, 'nats-server'), '');
    const found = await program(join(good, 'nats-server'));
    expect(await findNatsServer({ PATH: [directory, plain, good].join(':') })).toBe(found);
  });

  it('finds the installed one, even with an empty PATH if a package installed it', async () => {
    expect(await findNatsServer()).toMatch(/\/nats-server$/);
  });

  it('explains in one line how to install it when ZESTER_NATS_SERVER names none', async () => {
    const gone = join(await tempDir(), 'gone');
    const error = await findNatsServer({ ZESTER_NATS_SERVER: gone }).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'NatsServerError', code: 'ERR_NATS_SERVER_NOT_FOUND' });
    const { message } = error as Error;
    expect(message).toContain(gone);
    expect(message).toContain('apt-get install nats-server');
    expect(message).toContain('brew install nats-server');
    expect(message).toContain('docker run');
    expect(message).not.toContain('\n');
  });
});
