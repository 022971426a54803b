import { execFile, execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile, parseCredsData } from '../../../src/creds/parse.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { tempDir } from '../../support/temp-dir.js';
import { idsOf, listIn, missing, startZester } from './support.js';
import { SEED } from '../../support/refusal.js';

const run = promisify(execFile);
let dir: string;
let seed: string;

beforeAll(async () => {
  dir = await tempDir();
  seed = join(dir, 'account.seed');
  await generateKeyBundle('account').saveSeedToFile(seed);
});

const issue = (from: string, ...args: string[]) =>
  startZester(['creds', 'issue', '--from', from, '--account-seed', seed, ...args]);

describe('zester creds issue --sink', () => {
  const noAge = missing('age', 'age');
  it.skipIf(noAge)(`age writes files that age decrypts${noAge ? ` (${noAge})` : ''}`, async () => {
    const identity = join(dir, 'identity');
    execFileSync('age-keygen', ['-o', identity], { stdio: 'pipe' });
    const recipient = execFileSync('age-keygen', ['-y', identity], { encoding: 'utf8' }).trim();
    const out = join(dir, 'encrypted');
    await mkdir(out);
    const from = await listIn(dir, idsOf(5));
    const args = ['--sink', 'age', '-r', recipient, '--out', out];

    expect((await issue(from, ...args).ended).code).toBe(0);
    for (const id of idsOf(5)) {
      const path = join(out, `${id}.creds.age`);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      const { stdout } = await run('age', ['-d', '-i', identity, path]);
      expect(parseCredsData(stdout, id).claims.name).toBe(id);
    }
    const again = await issue(from, ...args, '--resume').ended;
    expect(again.stdout).toBe('0 issued, 5 skipped (already issued)\n');
  });

  it('tar writes an archive that tar unpacks: complete or absent, entries of mode 0600', async () => {
    const long = 'x'.repeat(128); // longer than the names of the oldest format
    const ids = [...idsOf(150), long];
    const from = await listIn(dir, ids);
    const archive = join(dir, 'peels.tar');

    expect((await issue(from, '--sink', 'tar', '--out', archive).ended).code).toBe(0);
    expect((await stat(archive)).mode & 0o777).toBe(0o600);
    const unpacked = join(dir, 'unpacked');
    await mkdir(unpacked);
    await run('tar', ['-xpf', archive, '--no-same-owner', '-C', unpacked]);
    expect((await readdir(unpacked)).sort()).toEqual(ids.map((id) => `${id}.creds`));
    for (const id of ['web-0000', 'web-0149', long]) {
      const path = join(unpacked, `${id}.creds`);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect((await loadCredsFile(path)).claims.name).toBe(id);
    }
    expect((await readdir(dir)).filter((name) => name.includes('zester-tmp'))).toEqual([]);
  });

  it('exec passes each program its credential and ID; a failing one is retried, then reported', async () => {
    const from = await listIn(dir, ['good', 'flaky', 'broken']);
    const got = join(dir, 'got');
    await mkdir(got);
    const program = join(dir, 'store');
    await writeFile(
      program,
      `cat > "$1/$ZESTER_PEEL_ID.$$"
       case "$ZESTER_PEEL_ID" in
         flaky) [ "$(ls "$1" | grep -c flaky)" -gt 1 ] || { echo busy >&2; exit 75; } ;;
         broken) echo "no such vault: $(cat "$1/broken.$$" | grep -x 'SU[A-Z2-7]*')" >&2; exit 3 ;;
       esac
`,
    );
    const { code, stdout, stderr } = await issue(
      from,
      '--sink',
      'exec',
      '--retries',
      '1',
      '--',
      'sh',
      program,
      got,
    ).ended;

    expect(code).toBe(1);
    expect(stdout).toBe('2 issued, 1 failed\n');
    expect(stderr).toMatch(/line 3: broken: sh ended with 3: no such vault: .*\(tried 2 times\)/);
    expect(stderr).not.toMatch(SEED);
    const files = await readdir(got);
    const contents = async (id: string) =>
      Promise.all(
        files.filter((name) => name.startsWith(id)).map((name) => readFile(join(got, name), 'utf8')),
      );
    expect(parseCredsData((await contents('good'))[0] ?? '', 'good').claims.name).toBe('good');
    const [first, second] = await contents('flaky');
    expect(second).toBe(first); // the same credential again, not another
  });

  it('exec exits with 2 if the program does not exist, and reports a failure if one takes too long', async () => {
    const from = await listIn(dir, ['web-01']);
    const none = await issue(from, '--sink', 'exec', '--', 'no-such-program-here').ended;
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('program not found')]);

    const slow = await issue(from, '--sink', 'exec', '--timeout', '1', '--retries', '0', '--', 'sleep', '60')
      .ended;
    expect([slow.code, slow.stderr]).toEqual([1, expect.stringContaining('took more than 1 s')]);
  });

  it('ndjson reads its list from standard input and streams; it stops when the reader exits', async () => {
    const ids = idsOf(400);
    const args = ['creds', 'issue', '--from', '-', '--account-seed', seed, '--sink', 'ndjson'];
    const { code, stdout } = await startZester(args, ids.join('\n')).ended;
    expect(code).toBe(0);
    const documents = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { peelId: string });
    expect(documents.map(({ peelId }) => peelId)).toEqual(ids);

    const left = startZester(args, idsOf(5_000).join('\n'));
    left.process.stdout?.once('data', () => left.process.stdout?.destroy());
    const { code: stopped, stderr } = await left.ended;
    expect([stopped, stderr]).toEqual([1, expect.stringContaining('ERR_BULK_OUTPUT_CLOSED')]);
  });
});
