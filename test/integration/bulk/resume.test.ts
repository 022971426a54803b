import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { atEnd } from '../../support/cleanup.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { idsOf, listIn, startZester } from './support.js';
import { childInput } from '../../support/child-input.js';

let dir: string;
let seed: string;
let out: string;
let runs = 0;

beforeAll(async () => {
  dir = await tempDir();
  seed = join(dir, 'account.seed');
  await generateKeyBundle('account').saveSeedToFile(seed);
});

beforeEach(async () => {
  out = join(dir, `out-${(runs += 1)}`);
  await mkdir(out);
});

/** The files of a directory; each must be a complete credential of the peel in its name. */
async function checkedFiles(directory: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.creds')) continue;
    const { claims } = await loadCredsFile(join(directory, name));
    expect(`${claims.name}.creds`).toBe(name);
    files.set(name, claims.sub);
  }
  return files;
}

describe('zester creds issue --resume', () => {
  it.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)(
    'resumes after %s: no peel is skipped, none gets two credentials, none is torn',
    async (signal) => {
      const ids = idsOf(1_000);
      const args = ['creds', 'issue', '--account-seed', seed, '--out', out, '--from'];
      // it cannot finish before the signal: half of its list is still to come
      const first = startZester([...args, '-', '--workers', '2'], null);
      childInput(first.process).write(`${ids.slice(0, 600).join('\n')}\n`);
      // the first 192 files are written one by one, later ones are synced together
      await waitFor('some files', () => existsSync(join(out, 'web-0250.creds')));
      first.process.kill(signal);
      const { code } = await first.ended;
      expect(code).toBe({ SIGKILL: null, SIGINT: 130, SIGTERM: 143 }[signal]);
      const before = await checkedFiles(out);
      expect(before.size).toBeGreaterThan(192);
      expect(before.size).toBeLessThanOrEqual(600);

      const from = await listIn(dir, ids);
      const { code: resumed, stdout } = await startZester([...args, from, '--resume']).ended;
      expect(resumed).toBe(0);
      expect(stdout).toContain(`${ids.length - before.size} issued`);
      const after = await checkedFiles(out);
      expect([...after.keys()].sort()).toEqual(ids.map((id) => `${id}.creds`));
      for (const [name, key] of before) expect(after.get(name)).toBe(key);
      expect((await readdir(out)).filter((name) => !name.endsWith('.creds'))).toEqual([]);
    },
    120_000,
  );

  it('a killed run leaves no single output file, and the next run removes its temporaries', async () => {
    const from = await listIn(dir, idsOf(5_000));
    const file = join(out, 'peels.ndjson');
    const args = ['creds', 'issue', '--account-seed', seed, '--sink', 'ndjson', '--out', file, '--from'];
    const first = startZester([...args, from]);
    await waitFor('the beginning', () => readdirSync(out).some((name) => statSync(join(out, name)).size > 0));
    first.process.kill('SIGKILL');
    await first.ended;
    expect((await readdir(out)).map((name) => name.startsWith('.peels.ndjson.zester-tmp-'))).toEqual([true]);

    expect((await startZester([...args, await listIn(dir, idsOf(5))]).ended).code).toBe(0);
    expect(await readdir(out)).toEqual(['peels.ndjson']);
    expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(5);
  }, 60_000);

  it('reports a full disk, and resumes afterwards', async ({ skip }) => {
    const tiny = join(dir, 'tiny');
    await mkdir(tiny);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', tiny], { stdio: 'pipe' });
    } catch {
      return skip('this machine does not let the tests mount a tmpfs');
    }
    atEnd(async () => execFileSync('umount', [tiny]));
    const ids = idsOf(500); // each file takes a page of 4 KiB
    const from = await listIn(dir, ids);
    const args = ['creds', 'issue', '--from', from, '--account-seed', seed, '--out', tiny];

    const { code, stderr } = await startZester(args).ended;
    expect(code).toBe(1);
    expect(stderr).toContain('the disk is full');
    const before = await checkedFiles(tiny);
    expect(before.size).toBeGreaterThan(192);
    expect((await readdir(tiny)).length).toBe(before.size);

    execFileSync('mount', ['-o', 'remount,size=4m', tiny]);
    expect((await startZester([...args, '--resume']).ended).code).toBe(0);
    const after = await checkedFiles(tiny);
    expect(after.size).toBe(500);
    for (const [name, key] of before) expect(after.get(name)).toBe(key);
  }, 60_000);

  it('syncs each file separately if the file system cannot be synced as a whole', async () => {
    const ids = idsOf(500);
    const args = ['creds', 'issue', '--from', await listIn(dir, ids), '--account-seed', seed, '--out', out];
    const { code } = await startZester(args, '', { PATH: out }).ended;
    expect(code).toBe(0);
    expect((await checkedFiles(out)).size).toBe(500);
    expect(await readdir(out)).toHaveLength(500);
  }, 60_000);

  it('resumes with the journal if a program receives the credentials', async () => {
    const ids = idsOf(60);
    const from = await listIn(dir, ids);
    const journal = join(dir, 'journal.txt');
    const taken = join(dir, 'taken.txt');
    const script = 'cat > /dev/null; sleep 0.05; echo "$ZESTER_PEEL_ID" >> "$TAKEN"';
    const args = [
      'creds',
      'issue',
      '--from',
      from,
      '--account-seed',
      seed,
      '--sink',
      'exec',
      '--parallel',
      '2',
    ];
    const command = ['--', 'env', `TAKEN=${taken}`, 'sh', '-c', script];
    const first = startZester([...args, '--journal', journal, ...command]);
    await waitFor(
      'some ids',
      () => existsSync(journal) && readFileSync(journal, 'utf8').includes('web-0009'),
    );
    first.process.kill('SIGKILL');
    await first.ended;
    const done = (await readFile(journal, 'utf8')).split('\n').filter((line) => line.startsWith('web-'));
    await writeFile(journal, 'web-00', { flag: 'a' }); // a crash in the middle of a line

    const refused = await startZester([...args, '--journal', journal, ...command]).ended;
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('ERR_FILE_EXISTS')]);

    const { code, stdout } = await startZester([...args, '--journal', journal, '--resume', ...command]).ended;
    expect([code, stdout]).toEqual([
      0,
      `${60 - done.length} issued, ${done.length} skipped (already issued)\n`,
    ]);
    const all = (await readFile(taken, 'utf8')).trim().split('\n');
    expect([...new Set(all)].sort()).toEqual(ids);
    // a delivery in progress at the kill may arrive twice, a recorded one does not
    for (const id of done) expect(all.filter((other) => other === id)).toHaveLength(1);
  }, 60_000);
});
