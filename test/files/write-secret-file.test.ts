import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FileError } from '../../src/errors.js';
import { sweepStaleTemporaries } from '../../src/files/temporaries.js';
import { writeSecretFile } from '../../src/files/write-secret-file.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { refusal } from '../support/refusal.js';
import { runChild, startChild, type Child } from './child.js';

// these tests start and kill programs, possibly on a busy machine
vi.setConfig({ testTimeout: 120_000 });

let directory: string;
let path: string;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zester-test-'));
  // an unprivileged user must be able to reach it
  await chmod(directory, 0o755);
  path = join(directory, 'secret');
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await rm(directory, { recursive: true, force: true });
});

const isRoot = process.getuid?.() === 0;

/** A running child, killed at the end of the test. */
function start(...args: Parameters<typeof startChild>): Child {
  const child = startChild(...args);
  cleanups.push(() =>
    child.process.exitCode === null && child.process.signalCode === null ? child.kill() : undefined,
  );
  return child;
}

async function modeOf(file: string): Promise<string> {
  return ((await lstat(file)).mode & 0o7777).toString(8);
}

/** Mounts a small file system, or returns why that is not possible here. */
function mountTiny(): { at: string } | { reason: string } {
  if (process.platform !== 'linux' || !isRoot)
    return { reason: 'mounting a tiny tmpfs needs Linux and root' };
  const at = join(directory, 'tiny');
  try {
    execFileSync('mkdir', [at]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', at], { stdio: 'pipe' });
  } catch {
    return { reason: 'this machine does not let the tests mount a tmpfs' };
  }
  cleanups.push(() => execFileSync('umount', [at]));
  return { at };
}

describe('a secret file', () => {
  it('refuses a path with a seed in it, which names of files would show to others', async () => {
    const seed = Buffer.from(generateKeyBundle('user').seed).toString();
    const error = await refusal('ERR_FILE_WRITE', () =>
      writeSecretFile(join(directory, `${seed}.creds`), Buffer.from('x')),
    );
    expect(JSON.stringify(error) + error.message).not.toContain(seed);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('has the content and mode 0600, and nothing else is left in the directory', async () => {
    await writeSecretFile(path, Buffer.from('content\n'));
    expect(await readFile(path, 'utf8')).toBe('content\n');
    expect(await modeOf(path)).toBe('600');
    expect(await readdir(directory)).toEqual(['secret']);
  });

  it('may be empty', async () => {
    await writeSecretFile(path, new Uint8Array());
    expect((await stat(path)).size).toBe(0);
  });

  it('replaces an existing file, whose mode was wider', async () => {
    await writeFile(path, 'old', { mode: 0o644 });
    await writeSecretFile(path, Buffer.from('new'));
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await modeOf(path)).toBe('600');
  });

  it('does not write to other hard links of the old file', async () => {
    await writeFile(path, 'old');
    await link(path, join(directory, 'other'));
    await writeSecretFile(path, Buffer.from('new'));
    expect(await readFile(join(directory, 'other'), 'utf8')).toBe('old');
  });

  it('replaces a symlink at the path, and does not follow it', async () => {
    const target = join(directory, 'target');
    await writeFile(target, 'not touched');
    await symlink(target, path);
    await writeSecretFile(path, Buffer.from('new'));
    expect((await lstat(path)).isSymbolicLink()).toBe(false);
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await readFile(target, 'utf8')).toBe('not touched');
  });

  it('replaces a dangling symlink, and a symlink to a directory', async () => {
    await symlink(join(directory, 'nowhere'), path);
    await writeSecretFile(path, Buffer.from('new'));
    await symlink(directory, join(directory, 'loop'));
    await writeSecretFile(join(directory, 'loop'), Buffer.from('new'));
    expect((await lstat(path)).isFile()).toBe(true);
    expect((await lstat(join(directory, 'loop'))).isFile()).toBe(true);
    expect((await readdir(directory)).sort()).toEqual(['loop', 'secret']);
  });

  it('is written through a directory that is a symlink, which stays one', async () => {
    await mkdir(join(directory, 'real'));
    await symlink('real', join(directory, 'link'));
    await writeSecretFile(join(directory, 'link', 'secret'), Buffer.from('new'));
    expect(await readlink(join(directory, 'link'))).toBe('real');
    expect(await readdir(join(directory, 'real'))).toEqual(['secret']);
  });

  it('accepts a relative path', async () => {
    await writeSecretFile(relative(process.cwd(), path), Buffer.from('new'));
    expect(await readFile(path, 'utf8')).toBe('new');
  });

  it('has mode 0600 under any umask', async () => {
    const umasks = ['0', '22', '77', '277', '777'];
    const args = umasks.flatMap((umask) => [umask, join(directory, `under-${umask}`)]);
    expect(await runChild('write-under-umask', ...args)).toEqual(umasks.map(() => '600'));
  });

  it('was never readable by others, nor torn, at any instant of many rewrites', async () => {
    const write = (i: number) =>
      writeSecretFile(path, Buffer.from(`${String.fromCharCode(97 + (i % 26)).repeat(10_000)}\n`));
    // the widest umask, which reveals a writer that relies on it
    const before = process.umask(0);
    cleanups.push(() => process.umask(before));
    await write(0);
    const watcher = start('watch-directory', directory, 'secret', '25');
    expect(await watcher.nextLine()).toBe('ready');
    let enough = false;
    const announced = watcher.nextLine().then((line) => {
      expect(line).toBe('enough');
      enough = true;
    });
    let writes = 0;
    for (; !enough && writes < 20_000; writes++) await write(writes);
    await announced;
    const { lines } = await watcher.finish();
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ modes: ['600'], torn: 0 });
    expect(await readdir(directory)).toEqual(['secret']);
  });
});

describe('refuses an unwritable path, and keeps the old content', () => {
  it('when the directory is missing, and the message says how to create it', async () => {
    const missing = join(directory, 'no', 'such', 'secret');
    const error = await refusal('ERR_FILE_DIRECTORY_NOT_FOUND', () =>
      writeSecretFile(missing, Buffer.from('x')),
    );
    expect(error.message).toContain('mkdir -p');
    expect((error as FileError).path).toBe(missing);
    expect(await readdir(directory)).toEqual([]);
  });

  it('when the directory is a file', async () => {
    await writeFile(path, 'a file');
    await refusal('ERR_FILE_WRITE', () => writeSecretFile(join(path, 'secret'), Buffer.from('x')));
  });

  it('when a directory is at the path, empty or not', async () => {
    const inner = join(path, 'inner');
    await mkdir(inner, { recursive: true });
    await refusal('ERR_FILE_IS_DIRECTORY', () => writeSecretFile(inner, Buffer.from('x')));
    await refusal('ERR_FILE_IS_DIRECTORY', () => writeSecretFile(path, Buffer.from('x')));
    expect(await readdir(directory)).toEqual(['secret']);
    expect(await readdir(path)).toEqual(['inner']);
    expect(await readdir(inner)).toEqual([]);
  });

  it('when the name is longer than the file system allows', async () => {
    await refusal('ERR_FILE_WRITE', () =>
      writeSecretFile(join(directory, 'x'.repeat(300)), Buffer.from('x')),
    );
  });

  it('when a seed is given where the path belongs, without showing it', async () => {
    const seed = 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY';
    const error = await refusal(
      'ERR_FILE_WRITE',
      () => writeSecretFile(join(directory, 'no', seed), Buffer.from('x')),
      seed,
    );
    expect((error as FileError).path).not.toContain(seed);
  });

  it('when the user may not write into the directory', async ({ skip }) => {
    skip(!isRoot, 'only root can become a user without rights');
    await writeFile(path, 'old');
    expect(await runChild('as-nobody', 'write', path)).toEqual({
      known: true,
      code: 'ERR_FILE_WRITE',
      system: 'EACCES',
      message: expect.stringContaining('permission denied') as string,
    });
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(directory)).toEqual(['secret']);
  });

  it('when the disk is full', async ({ skip }) => {
    const tiny = mountTiny();
    if ('reason' in tiny) return skip(tiny.reason);
    const full = join(tiny.at, 'secret');
    await writeSecretFile(full, Buffer.from('old'));
    const error = await refusal('ERR_FILE_WRITE', () => writeSecretFile(full, new Uint8Array(200_000)));
    expect(error.message).toContain('the disk is full');
    expect(error.cause).toMatchObject({ code: 'ENOSPC' });
    expect(await readFile(full, 'utf8')).toBe('old');
    expect(await readdir(tiny.at)).toEqual(['secret']);
  });

  it('when the file system is read-only', async ({ skip }) => {
    const tiny = mountTiny();
    if ('reason' in tiny) return skip(tiny.reason);
    const readOnly = join(tiny.at, 'secret');
    await writeSecretFile(readOnly, Buffer.from('old'));
    execFileSync('mount', ['-o', 'remount,ro', tiny.at]);
    const error = await refusal('ERR_FILE_WRITE', () => writeSecretFile(readOnly, Buffer.from('new')));
    expect(error.message).toContain('read-only');
    expect(await readFile(readOnly, 'utf8')).toBe('old');
    expect(await readdir(tiny.at)).toEqual(['secret']);
  });
});

describe('a writer killed with SIGKILL', () => {
  it('in the middle of 1,000 rewrites leaves one whole old or new file, and the next process that writes cleans up', async () => {
    const whole = /^(.)\1{9999}\n$/;
    await writeSecretFile(path, Buffer.from(`${'z'.repeat(10_000)}\n`));
    for (const killAfter of [1, 7, 40, 111, 250]) {
      const child = start('rewrite', path, '1000', '10000');
      let line = await child.nextLine();
      while (line !== undefined && Number(line) < killAfter) {
        expect(await readFile(path, 'latin1')).toMatch(whole);
        line = await child.nextLine();
      }
      expect(Number(line), 'it was killed in the middle').toBeLessThan(1000);
      await child.kill();
      expect(await readFile(path, 'latin1')).toMatch(whole);
      for (const entry of await readdir(directory)) expect(await modeOf(join(directory, entry))).toBe('600');
    }
    await start('rewrite', path, '1', '10').finish();
    expect(await readFile(path, 'latin1')).toMatch(/^(.)\1{9}\n$/);
    expect(await readdir(directory)).toEqual(['secret']);
  });

  it('before the rename leaves its temporary file, mode 0600, which the next process removes that writes into the directory', async () => {
    await writeSecretFile(path, Buffer.from('old'));
    const left = await leaveTemporary();
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await modeOf(join(directory, left))).toBe('600');
    await start('rewrite', join(directory, 'another'), '1', '10').finish();
    expect((await readdir(directory)).sort()).toEqual(['another', 'secret']);
  });

  it('before the rename leaves a temporary file, which a sweep of the directory removes', async () => {
    await writeSecretFile(path, Buffer.from('old'));
    const left = await leaveTemporary();
    await writeSecretFile(path, Buffer.from('new'), { sweep: false });
    expect(await readdir(directory)).toContain(left);
    await sweepStaleTemporaries(directory);
    expect(await readdir(directory)).toEqual(['secret']);
  });

  /** Kills a writer of a large file between the creation of its temporary file and the rename. */
  async function leaveTemporary(): Promise<string> {
    for (let attempt = 0; attempt < 20; attempt++) {
      const child = start('rewrite', path, '1', '60000000');
      let found: string | undefined;
      while (found === undefined && child.process.exitCode === null) {
        found = readdirSync(directory).find((entry) => entry.includes('zester-tmp'));
        await setImmediate();
      }
      await child.kill();
      if (found !== undefined && readdirSync(directory).includes(found)) return found;
      await writeSecretFile(path, Buffer.from('old')); // the writer was faster: try again
    }
    throw new Error('no writer could be killed before its rename');
  }
});

describe('a sweep', () => {
  it('lists a directory once, for any number of credentials written into it', async () => {
    expect(await runChild('count-reads', directory, '300')).toBe(1);
    expect(readdirSync(directory)).toHaveLength(300);
  });

  it('spares files that only look temporary, and files of a writer on another host', async () => {
    const others = [
      '.secret.zester-tmp',
      '.secret.zester-tmp-1-2-3',
      'secret.tmp',
      `.secret.zester-tmp-ffffff-1-0-${'0'.repeat(12)}`,
    ];
    for (const other of others) await writeFile(join(directory, other), '');
    await writeSecretFile(path, Buffer.from('x'));
    expect((await readdir(directory)).sort()).toEqual([...others, 'secret'].sort());
  });

  it('removes the file of a writer on another host once it is older than any write', async () => {
    const old = join(directory, `.secret.zester-tmp-ffffff-1-0-${'0'.repeat(12)}`);
    await writeFile(old, '');
    const twoHoursAgo = Date.now() / 1000 - 7200;
    await utimes(old, twoHoursAgo, twoHoursAgo);
    await writeSecretFile(path, Buffer.from('x'));
    expect(await readdir(directory)).toEqual(['secret']);
  });

  it('of a missing directory does nothing', async () => {
    await expect(sweepStaleTemporaries(join(directory, 'none'))).resolves.toBeUndefined();
  });
});

describe('many writers of one path', () => {
  it('in one process all succeed, and the file is one of theirs', async () => {
    const contents = Array.from({ length: 60 }, (_, i) => `${i}:${'x'.repeat(i * 97)}`);
    await Promise.all(contents.map((content) => writeSecretFile(path, Buffer.from(content))));
    expect(contents).toContain(await readFile(path, 'utf8'));
    expect(await modeOf(path)).toBe('600');
    expect(await readdir(directory)).toEqual(['secret']);
  });

  it("do not remove each other's temporaries, even by different paths", async () => {
    await symlink(directory, join(directory, 'link'));
    const slow = writeSecretFile(join(directory, 'link', 'secret'), new Uint8Array(30_000_000));
    let writing = true;
    const ended = slow.finally(() => (writing = false));
    const paths = [path, relative(process.cwd(), path), join(directory, '.', 'secret')];
    let quick = 0;
    for (; writing; quick++) await writeSecretFile(paths[quick % paths.length] ?? path, Buffer.from('quick'));
    await expect(ended).resolves.toBeUndefined();
    expect(quick).toBeGreaterThan(0);
    expect((await readdir(directory)).sort()).toEqual(['link', 'secret']);
  });

  it('in several processes all succeed, and the file is one of theirs', async () => {
    const children = [1, 2, 3].map(() => start('rewrite', path, '60', '10000'));
    const results = await Promise.all(children.map((child) => child.finish()));
    expect(results.map(({ code, lines }) => [code, lines.length])).toEqual([
      [0, 60],
      [0, 60],
      [0, 60],
    ]);
    expect(await readFile(path, 'latin1')).toMatch(/^(.)\1{9999}\n$/);
    expect(await readdir(directory)).toEqual(['secret']);
  });
});
