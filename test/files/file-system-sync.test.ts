import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileSystemSync } from '../../src/files/file-system-sync.js';
import { tempDir } from '../support/temp-dir.js';

const { PATH } = process.env;
afterEach(() => {
  process.env['PATH'] = PATH;
});

let dir: string;
beforeEach(async () => {
  dir = await tempDir();
});

describe('FileSystemSync', () => {
  it.skipIf(process.platform !== 'linux')('syncs as often as requested', async () => {
    const directory = join(dir, '-f "a $(directory)"');
    await mkdir(directory);
    const sync = new FileSystemSync(directory);
    for (let i = 0; i < 20; i += 1) expect(await sync.run()).toBe(true);
    sync.close();
  });

  it('reports a failure: a missing directory, a missing program, or one that dies midway', async () => {
    const missing = new FileSystemSync(join(dir, 'nowhere'));
    expect(await missing.run()).toBe(false);
    missing.close();

    process.env['PATH'] = dir;
    expect(await new FileSystemSync(dir).run()).toBe(false);

    await writeFile(join(dir, 'sh'), '#!/bin/sh\nread -r line\necho 0\nread -r line\nexit 1\n');
    await chmod(join(dir, 'sh'), 0o700);
    const ending = new FileSystemSync(dir);
    const expected = process.platform === 'linux' ? [true, false, false] : [false, false, false];
    expect([await ending.run(), await ending.run(), await ending.run()]).toEqual(expected);
  });
});
