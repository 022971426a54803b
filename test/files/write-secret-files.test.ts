import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { sweepStaleTemporaries } from '../../src/files/temporaries.js';
import { placeSecretFiles, settleSecretFiles, writeSecretFiles } from '../../src/files/write-secret-files.js';
import { tempDir } from '../support/temp-dir.js';

let dir: string;
beforeEach(async () => {
  dir = await tempDir();
});

const bytes = (text: string) => Buffer.from(text);
const file = (name: string, text: string) => ({ name, content: bytes(text) });

describe('writeSecretFiles', () => {
  it('writes all of them, mode 0600, and leaves nothing else', async () => {
    expect(await writeSecretFiles(dir, [file('a', 'one'), file('b', ''), file('c', 'three')], false)).toEqual(
      {
        outcomes: ['written', 'written', 'written'],
      },
    );
    expect((await readdir(dir)).sort()).toEqual(['a', 'b', 'c']);
    expect(await readFile(join(dir, 'c'), 'utf8')).toBe('three');
    for (const name of ['a', 'b', 'c']) expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
  });

  it('keeps an existing file or dangling link, and reports it', async () => {
    await writeFile(join(dir, 'a'), 'mine');
    await symlink('nowhere', join(dir, 'b'));
    const { outcomes } = await writeSecretFiles(dir, [file('a', 'x'), file('b', 'x'), file('c', 'x')], false);
    expect(outcomes).toEqual(['there', 'there', 'written']);
    expect(await readFile(join(dir, 'a'), 'utf8')).toBe('mine');
  });

  it('replaces an existing file on request; a link itself, not its target', async () => {
    await writeFile(join(dir, 'a'), 'mine');
    await writeFile(join(dir, 'target'), 'mine');
    await symlink('target', join(dir, 'b'));
    await writeSecretFiles(dir, [file('a', 'new'), file('b', 'new')], true);
    expect(await readFile(join(dir, 'a'), 'utf8')).toBe('new');
    expect(await readFile(join(dir, 'b'), 'utf8')).toBe('new');
    expect(await readFile(join(dir, 'target'), 'utf8')).toBe('mine');
  });

  it('stops at the first failure, and reports the reason and the written files', async () => {
    await mkdir(join(dir, 'b'));
    const files = [file('a', 'x'), file('b', 'x'), file('c', 'x')];
    const { outcomes, error } = await writeSecretFiles(dir, files, true);
    expect(outcomes).toEqual(['written']);
    expect(error?.code).toBe('ERR_FILE_IS_DIRECTORY');
    expect((await readdir(dir)).sort()).toEqual(['a', 'b']);
  });
});

describe.each([true, false])(
  'placeSecretFiles and settleSecretFiles, the file system synced: %s',
  (synced) => {
    it('write all of them, mode 0600; none has its name before it is settled', async () => {
      const files = [file('a', 'one'), file('b', ''), file('c', 'three')];
      const placed = await placeSecretFiles(dir, files, false);
      const hidden = await readdir(dir);
      expect(hidden).toHaveLength(3);
      for (const name of hidden) {
        expect(name).toMatch(/^\.[abc]\.zester-tmp-/);
        expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
      }
      await sweepStaleTemporaries(dir); // not while they are being written
      expect(await settleSecretFiles(placed, synced)).toEqual({
        outcomes: ['written', 'written', 'written'],
      });
      expect((await readdir(dir)).sort()).toEqual(['a', 'b', 'c']);
      expect(await readFile(join(dir, 'c'), 'utf8')).toBe('three');
    });

    it('keep existing files, and report them', async () => {
      await writeFile(join(dir, 'a'), 'mine');
      const placed = await placeSecretFiles(dir, [file('a', 'x'), file('b', 'x')], false);
      expect(await settleSecretFiles(placed, synced)).toEqual({ outcomes: ['there', 'written'] });
      expect(await readFile(join(dir, 'a'), 'utf8')).toBe('mine');
    });

    it('stop at the first that cannot be placed, and settle those before', async () => {
      const files = [file('a', 'x'), file('no/where', 'x'), file('c', 'x')];
      const { outcomes, error } = await settleSecretFiles(await placeSecretFiles(dir, files, false), synced);
      expect(outcomes).toEqual(['written']);
      expect(error?.code).toBe('ERR_FILE_WRITE');
      expect(await readdir(dir)).toEqual(['a']);
    });

    it('stop at the first that cannot have its name, and leave nothing of those after', async () => {
      await mkdir(join(dir, 'b'));
      const files = [file('a', 'x'), file('b', 'x'), file('c', 'x')];
      const { outcomes, error } = await settleSecretFiles(await placeSecretFiles(dir, files, true), synced);
      expect(outcomes).toEqual(['written']);
      expect(error?.code).toBe('ERR_FILE_IS_DIRECTORY');
      expect((await readdir(dir)).sort()).toEqual(['a', 'b']);
    });
  },
);
