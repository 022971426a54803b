import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  bootstrapPeelCreds,
  generateKeyBundle,
  loadCredsFile,
  writeCredsFile,
  createUserJwt,
} from '../../src/index.js';
import { writeSecretFile } from '../../src/files/write-secret-file.js';
import { refusal } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';
import { startChild } from './child.js';
import { childInput } from '../support/child-input.js';

// these tests start programs, possibly on a busy machine
vi.setConfig({ testTimeout: 120_000 });

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await tempDir();
  path = join(directory, 'secret');
});

const account = generateKeyBundle('account');
const ifAbsent = true;

const codes = (results: readonly PromiseSettledResult<unknown>[]) =>
  results
    .map((result) => (result.status === 'fulfilled' ? 'written' : (result.reason as { code: string }).code))
    .sort();

describe('a file that is written only if it is absent', () => {
  it('is written if the path is free, readable by its owner only, without leaving temporaries', async () => {
    await writeSecretFile(path, Buffer.from('one'), { ifAbsent });
    expect(await readFile(path, 'utf8')).toBe('one');
    expect(((await lstat(path)).mode & 0o777).toString(8)).toBe('600');
    expect((await lstat(path)).nlink).toBe(1);
    expect(await readdir(directory)).toEqual(['secret']);
  });

  it('is refused if a file or a dangling link exists, and changes nothing', async () => {
    await writeFile(path, 'old');
    const dangling = join(directory, 'link');
    await symlink(join(directory, 'nowhere'), dangling);
    for (const at of [path, dangling]) {
      await refusal('ERR_FILE_EXISTS', () => writeSecretFile(at, Buffer.from('new'), { ifAbsent }));
    }
    expect(await readFile(path, 'utf8')).toBe('old');
    expect((await readdir(directory)).sort()).toEqual(['link', 'secret']);
  });

  it('is refused if a directory exists at the path, or no directory to write into', async () => {
    await mkdir(path);
    await refusal('ERR_FILE_IS_DIRECTORY', () => writeSecretFile(path, Buffer.from('new'), { ifAbsent }));
    await refusal('ERR_FILE_DIRECTORY_NOT_FOUND', () =>
      writeSecretFile(join(directory, 'none', 'x'), Buffer.from('new'), { ifAbsent }),
    );
  });

  it('is written by exactly one of many concurrent writers', async () => {
    const writers = Array.from({ length: 50 }, (_, i) =>
      writeSecretFile(path, Buffer.from(`${i}`), { ifAbsent }),
    );
    const results = await Promise.allSettled(writers);
    expect(codes(results).filter((code) => code === 'written')).toHaveLength(1);
    expect(codes(results).filter((code) => code === 'ERR_FILE_EXISTS')).toHaveLength(49);
    const winner = results.findIndex(({ status }) => status === 'fulfilled');
    expect(await readFile(path, 'utf8')).toBe(`${winner}`);
    expect(await readdir(directory)).toEqual(['secret']);
  });

  it('is written by exactly one of several processes, and whole', async () => {
    const children = Array.from({ length: 3 }, () => startChild('write-if-absent'));
    const names = await Promise.all(children.map((child) => child.nextLine()));
    for (let i = 0; i < 30; i++) {
      const at = join(directory, `file-${i}`);
      for (const child of children) childInput(child.process).write(`${at}\n`);
      const outcomes = await Promise.all(children.map((child) => child.nextLine()));
      expect([...outcomes].sort()).toEqual(['ERR_FILE_EXISTS', 'ERR_FILE_EXISTS', 'written']);
      expect(await readFile(at, 'utf8')).toBe(names[outcomes.indexOf('written')]);
    }
    for (const child of children) expect((await child.finish()).code).toBe(0);
  });
});

describe('credentials that are written only if they are absent', () => {
  it('come from exactly one of many concurrent bootstraps', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => bootstrapPeelCreds(account, 'web-01', path, { ifAbsent })),
    );
    expect(codes(results).filter((code) => code !== 'ERR_FILE_EXISTS')).toEqual(['written']);
    const made = results.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value.user.publicKey] : [],
    );
    expect([(await loadCredsFile(path)).publicKey]).toEqual(made);
  });

  it('are kept by writeCredsFile and by a key that is saved', async () => {
    const user = generateKeyBundle('user');
    const jwt = createUserJwt(user, account, { name: 'x' });
    await writeCredsFile(path, jwt, user.seed, { ifAbsent });
    await refusal('ERR_FILE_EXISTS', () => writeCredsFile(path, jwt, user.seed, { ifAbsent }), user.seed);
    await refusal('ERR_FILE_EXISTS', () => account.saveSeedToFile(path, { ifAbsent }), account.seed);
    await account.saveSeedToFile(path);
    expect(await readFile(path, 'utf8')).toMatch(/^SA/);
  });
});
