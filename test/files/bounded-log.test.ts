import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BoundedLog } from '../../src/files/bounded-log.js';
import { tempDir } from '../support/temp-dir.js';

describe('a bounded log', () => {
  it('is readable by its owner only, appends, and keeps one older file', async () => {
    const path = join(await tempDir(), 'server.log');
    const first = await BoundedLog.open(path, 100);
    first.write('a'.repeat(60));
    await first.close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const log = await BoundedLog.open(path, 100);
    for (const letter of ['b', 'c', 'd']) {
      log.write(letter.repeat(60));
      await log.flush();
    }
    await log.close();
    expect(await readFile(path, 'utf8')).toBe(`${'d'.repeat(60)}\n`);
    expect(await readFile(`${path}.1`, 'utf8')).toBe(`${'c'.repeat(60)}\n`);
    expect((await stat(`${path}.1`)).mode & 0o777).toBe(0o600);
  });

  it('counts the lines that it drops if they come too fast', async () => {
    const path = join(await tempDir(), 'server.log');
    const log = await BoundedLog.open(path);
    for (let i = 0; i < 1_000; i++) log.write('x'.repeat(1_000));
    await log.close();
    const text = await readFile(path, 'utf8');
    expect(text.length).toBeLessThan(300_000);
    expect(text).toMatch(/lines dropped/);
  });

  it('does not follow a link', async () => {
    const dir = await tempDir();
    await writeFile(join(dir, 'other'), '');
    await symlink(join(dir, 'other'), join(dir, 'server.log'));
    await expect(BoundedLog.open(join(dir, 'server.log'))).rejects.toMatchObject({
      code: 'ERR_FILE_NOT_REGULAR',
    });
  });
});
