import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileError } from '../../src/errors.js';
import { readSmallFile } from '../../src/files/read-small-file.js';
import { makeCredentials } from '../creds/credentials.js';
import { refusal } from '../support/refusal.js';
import { runChild } from './child.js';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zester-test-'));
  await chmod(directory, 0o755);
  path = join(directory, 'file');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('reading a small file', () => {
  it('returns the whole content, up to the given size', async () => {
    await writeFile(path, 'ten bytes.');
    expect(Buffer.from(await readSmallFile(path, 10)).toString()).toBe('ten bytes.');
    expect(await readSmallFile(path, 1000)).toHaveLength(10);
  });

  it('returns nothing for an empty file', async () => {
    await writeFile(path, '');
    expect(await readSmallFile(path, 10)).toHaveLength(0);
  });

  it('returns one byte more than the given size for a larger file, and reads no further', async () => {
    await writeFile(path, '');
    await truncate(path, 1e12);
    expect(await readSmallFile(path, 10)).toHaveLength(11);
  });

  it('follows a symlink', async () => {
    await writeFile(path, 'x');
    await symlink(path, join(directory, 'link'));
    expect(await readSmallFile(join(directory, 'link'), 10)).toHaveLength(1);
  });
});

describe('reading refuses', () => {
  it('a missing file, a path through a file, and a dangling symlink', async () => {
    await writeFile(path, 'x');
    await symlink(join(directory, 'nowhere'), join(directory, 'link'));
    for (const missing of [join(directory, 'none'), join(path, 'below'), join(directory, 'link')]) {
      const error = await refusal('ERR_FILE_NOT_FOUND', () => readSmallFile(missing, 10));
      expect((error as FileError).path).toBe(missing);
      expect(error.message).toContain(missing);
    }
  });

  it('a directory', async () => {
    await mkdir(path);
    await refusal('ERR_FILE_IS_DIRECTORY', () => readSmallFile(path, 10));
  });

  it('a symlink to itself', async () => {
    await symlink(path, path);
    await refusal('ERR_FILE_READ', () => readSmallFile(path, 10));
  });

  it('a file that the user may not read', async ({ skip }) => {
    skip(process.getuid?.() !== 0, 'only root can become a user without rights');
    await writeFile(path, 'x', { mode: 0o600 });
    expect(await runChild('as-nobody', 'read', path)).toEqual({
      known: true,
      code: 'ERR_FILE_READ',
      system: 'EACCES',
      message: expect.stringContaining('permission denied') as string,
    });
  });

  it('a seed given where the path belongs, without showing it', async () => {
    const seed = 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY';
    const error = await refusal('ERR_FILE_NOT_FOUND', () => readSmallFile(seed, 10), seed);
    expect((error as FileError).path).toBe('(a seed)');
  });

  it.each<[string, (creds: string) => string]>([
    ['as it is', (creds) => creds],
    ['in base64', (creds) => Buffer.from(creds).toString('base64')],
    ['as a JSON string', (creds) => JSON.stringify(creds)],
    ['in one line', (creds) => creds.replaceAll('\n', ' ')],
  ])('the content of a file given where its path belongs, without showing it: %s', async (_, given) => {
    const { text, seed } = makeCredentials();
    const path = given(text);
    for (const encoded of [path, path.slice(0, 200)]) {
      const error = (await readSmallFile(encoded, 10).catch((thrown: unknown) => thrown)) as FileError;
      expect(error.message).toContain('give the path of a file');
      const shown = inspect(error) + JSON.stringify(error);
      for (const secret of [seed, Buffer.from(text).toString('base64').slice(300, 340), text.slice(60, 100)])
        expect(shown).not.toContain(secret);
    }
  });
});
