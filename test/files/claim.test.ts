import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { claim } from '../../src/files/claim.js';
import { atEnd } from '../support/cleanup.js';
import { refusal } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';
import { tsProgram } from '../support/ts-program.js';

const CHILD = fileURLToPath(new URL('./children/hold-claim.ts', import.meta.url));

let dir: string;
beforeEach(async () => {
  dir = await tempDir();
});

/** A process that claims the directory and holds it until it is killed. */
async function holder() {
  const child = spawn(process.execPath, [tsProgram(CHILD), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  atEnd(async () => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

describe('claim', () => {
  it('gives a directory to one run at a time, and leaves no files behind', async () => {
    const first = await claim(dir);
    const error = await refusal('ERR_FILE_IN_USE', () => claim(dir));
    expect(error.message).toContain(`process ${process.pid}`);
    await first.release();
    await (await claim(dir)).release();
    expect(await readdir(dir)).toEqual([]);
  });

  it('keeps a directory and the files in it apart', async () => {
    const held = [await claim(dir), await claim(dir, 'a'), await claim(dir, 'b')];
    await refusal('ERR_FILE_IN_USE', () => claim(dir, 'a'));
    for (const { release } of held) await release();
  });

  it('never gives it to two concurrent callers', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => claim(dir)));
    const won = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(won.length).toBeLessThanOrEqual(1);
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.release();
    expect(await readdir(dir)).toEqual([]);
  });

  it('is refused while another process has it, and granted once that one is killed', async () => {
    const other = await holder();
    const error = await refusal('ERR_FILE_IN_USE', () => claim(dir));
    expect(error.message).toContain(`process ${other.pid}`);
    const gone = once(other, 'exit');
    other.kill('SIGKILL');
    await gone;
    await (await claim(dir)).release();
    expect(await readdir(dir)).toEqual([]);
  });

  it('reports a directory that is not writable', async () => {
    await refusal('ERR_FILE_DIRECTORY_NOT_FOUND', () => claim(join(dir, 'not-there')));
    await mkdir(join(dir, 'there'));
    await (await claim(join(dir, 'there'))).release();
  });
});
