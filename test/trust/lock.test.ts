import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { withHomeLock, type LockHolder } from '../../src/trust/lock.js';
import { atEnd } from '../support/cleanup.js';
import { refusal } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';
import { tsProgram } from '../support/ts-program.js';
import { childInput } from '../support/child-input.js';

const CHILD = fileURLToPath(new URL('./children/hold-lock.ts', import.meta.url));

/** Another process that holds the lock of a home, until it is killed or its standard input ends. */
async function holder(home: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [tsProgram(CHILD), home], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  atEnd(async () => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

describe('the lock of a home', () => {
  it('admits one change of the home at a time, within one process', async () => {
    const home = await tempDir();
    const order: string[] = [];
    const one = (name: string) =>
      withHomeLock(home, name, async () => {
        order.push(`${name} in`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} out`);
      });
    await Promise.all([one('a'), one('b'), one('c')]);
    expect(order).toHaveLength(6);
    for (let i = 0; i < 6; i += 2) expect(order[i + 1]).toBe(order[i]?.replace(' in', ' out'));
  });

  it('loses no change of four processes that each make twenty', async () => {
    const home = await tempDir();
    const counter = join(home, 'counter');
    await writeFile(counter, '0');
    const ends = [1, 2, 3, 4].map(() => {
      const child = spawn(process.execPath, [tsProgram(CHILD), home, counter], { stdio: 'inherit' });
      atEnd(async () => void child.kill('SIGKILL'));
      return once(child, 'exit');
    });
    expect((await Promise.all(ends)).map(([code]) => code as number)).toEqual([0, 0, 0, 0]);
    expect(await readFile(counter, 'utf8')).toBe('80');
    expect((await readdir(join(home, 'lock'))).length, 'old tickets are cleared away').toBeLessThan(5);
  });

  it('names its holder when the wait times out', async () => {
    const home = await tempDir();
    const { pid } = await holder(home);
    const waits: LockHolder[] = [];
    const error = await refusal('ERR_TRUST_LOCKED', () =>
      withHomeLock(home, 'another', async () => 'never', { waitMs: 1_000, onWait: (who) => waits.push(who) }),
    );
    expect(error.message).toContain('zester revoke web-01');
    expect(error.message).toContain(`process ${pid}`);
    expect(waits.map((who) => who.pid)).toEqual([pid]);
  });

  it('waits for the other to end', async () => {
    const home = await tempDir();
    const child = await holder(home);
    const result = withHomeLock(home, 'another', async () => 'done', {
      onWait: () => childInput(child).end(),
    });
    expect(await result).toBe('done');
  });

  it('is taken over from a killed process, by exactly one other', async () => {
    const home = await tempDir();
    const child = await holder(home);
    child.kill('SIGKILL');
    await once(child, 'exit');
    let inside = 0;
    const most = await Promise.all(
      Array.from({ length: 8 }, () =>
        withHomeLock(home, 'next', async () => {
          inside += 1;
          const seen = inside;
          await new Promise((resolve) => setImmediate(resolve));
          inside -= 1;
          return seen;
        }),
      ),
    );
    expect(most).toEqual(Array(8).fill(1));
  });

  it('does not count as held because a later process has the same ID', async () => {
    const home = await tempDir();
    await mkdir(join(home, 'lock'));
    const since = new Date().toISOString();
    const reused = { pid: process.pid, started: 'an earlier boot/1', host: hostname(), what: 'old', since };
    await writeFile(join(home, 'lock', '7'), JSON.stringify(reused));
    expect(await withHomeLock(home, 'next', async () => 'done', { waitMs: 0 })).toBe('done');
  });

  it('of another host is not taken over, and the error names the file to delete', async () => {
    const home = await tempDir();
    await mkdir(join(home, 'lock'));
    const far = { pid: 1, host: 'elsewhere', what: 'zester init', since: new Date().toISOString() };
    await writeFile(join(home, 'lock', '7'), JSON.stringify(far));
    const error = await refusal('ERR_TRUST_LOCKED', () =>
      withHomeLock(home, 'next', async () => 'never', { waitMs: 0 }),
    );
    expect(error.message).toContain(`delete ${join(home, 'lock', '7')}`);
  });

  it('is released when the work under it fails', async () => {
    const home = await tempDir();
    await expect(
      withHomeLock(home, 'failing', async () => {
        throw new Error('as it should');
      }),
    ).rejects.toThrow('as it should');
    expect(await withHomeLock(home, 'next', async () => 'done', { waitMs: 0 })).toBe('done');
  });

  it.skipIf(process.getuid?.() === 0)('of a home that cannot be written is refused', async () => {
    const home = await tempDir();
    await chmod(home, 0o500);
    await refusal('ERR_FILE_WRITE', () => withHomeLock(home, 'next', async () => 'never'));
  });

  it('of a home that is not there is refused', async () => {
    const home = join(await tempDir(), 'nothing');
    const error = await refusal('ERR_FILE_WRITE', () => withHomeLock(home, 'next', async () => 'never'));
    expect(error.message).toContain('the home does not exist');
  });

  it('of a home where "lock" is a file is refused', async () => {
    const home = await tempDir();
    await writeFile(join(home, 'lock'), '');
    await refusal('ERR_FILE_WRITE', () => withHomeLock(home, 'next', async () => 'never'));
  });
});
