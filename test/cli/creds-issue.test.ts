import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { loadCredsFile, parseCredsData } from '../../src/creds/parse.js';
import { claim } from '../../src/files/claim.js';
import { secretName } from '../../src/provision/sinks/kubernetes.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { openTrustDomain } from '../../src/trust/open.js';
import { readIssued } from '../../src/trust/issued.js';
import { createTrustDomain } from '../../src/trust/create/create.js';
import { tempDir } from '../support/temp-dir.js';
import { zester, type ZesterOptions } from './run-zester.js';

const account = generateKeyBundle('account');
let dir: string;
let accountSeed: string;
let out: string;
let runs = 0;

beforeAll(async () => {
  dir = await tempDir();
  accountSeed = join(dir, 'account.seed');
  await account.saveSeedToFile(accountSeed);
});

beforeEach(async () => {
  out = join(dir, `out-${(runs += 1)}`);
  await mkdir(out);
});

/** Writes a list of peels. */
async function list(text: string, ending = 'txt'): Promise<string> {
  const path = join(dir, `list-${(runs += 1)}.${ending}`);
  await writeFile(path, text);
  return path;
}

const issueWith = (options: ZesterOptions, from: string, ...args: string[]) =>
  zester(['creds', 'issue', '--from', from, '--account-seed', accountSeed, ...args], options);
const issue = (from: string, ...args: string[]) => issueWith({}, from, ...args);

/** The paths of the files that this process has open. */
async function openFiles(): Promise<string[]> {
  const fds = await readdir('/proc/self/fd').catch((): string[] => []);
  const paths = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return paths.filter((path) => path.startsWith(dir)).sort();
}

describe('zester creds issue', () => {
  it('writes a .creds file for each peel of the list, mode 0600', async () => {
    const from = await list('web-01\nweb-02\ndb-01\n');
    const { code, stdout } = await issue(from, '--out', out, '--expiry', '1h');

    expect(code).toBe(0);
    expect(stdout).toBe('3 issued\n');
    expect((await readdir(out)).sort()).toEqual(['db-01.creds', 'web-01.creds', 'web-02.creds']);
    const { claims } = await loadCredsFile(join(out, 'db-01.creds'));
    expect(claims).toMatchObject({ name: 'db-01', iss: account.publicKey, exp: claims.iat + 3600 });
    expect((await stat(join(out, 'web-01.creds'))).mode & 0o777).toBe(0o600);
  });

  it("signs with the home's key and records each peel, so that it can be revoked by ID", async () => {
    const home = join(dir, 'home');
    await createTrustDomain(home);
    const ids = Array.from({ length: 250 }, (_, i) => `web-${i}`);
    const from = await list(ids.join('\n'));
    const { code } = await zester(['creds', 'issue', '--home', home, '--from', from, '--out', out]);

    expect(code).toBe(0);
    const domain = await openTrustDomain(home);
    const noted = await readIssued(domain.paths.issued);
    expect(noted.map(({ peelId }) => peelId)).toEqual(ids);
    const { claims } = await loadCredsFile(join(out, 'web-7.creds'));
    expect(noted[7]).toEqual({
      peelId: 'web-7',
      publicKey: claims.sub,
      issuer: domain.publicKeys.peelSigning,
      issuedAt: claims.iat,
    });
    expect(claims.nats).toEqual({ issuer_account: domain.publicKeys.account, type: 'user', version: 2 });
  });

  it('reports bad rows by line, issues the others, and exits with 1', async () => {
    const from = await list('id\nweb-01\na.b\nweb-01\nweb-02\n', 'csv');
    const { code, stdout, stderr } = await issue(from, '--out', out, '--json');

    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ sink: 'dir', issued: 2, passedOver: 0, failed: 2 });
    expect(stderr).toMatch(/^zester: warning: line 3: 'a\.b' is not a peel id/);
    expect(stderr).toMatch(/line 4: "web-01" is a duplicate/);
    expect(stderr).toContain('ERR_BULK_INCOMPLETE');
    expect((await readdir(out)).sort()).toEqual(['web-01.creds', 'web-02.creds']);
  });

  it('keeps existing files; --resume skips them, --force replaces them', async () => {
    const from = await list('web-01\nweb-02\n');
    await issue(await list('web-01\n'), '--out', out);
    const first = await readFile(join(out, 'web-01.creds'), 'utf8');

    const refused = await issue(from, '--out', out);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('web-01.creds already exists');
    expect(await readFile(join(out, 'web-01.creds'), 'utf8')).toBe(first);

    const resumed = await issue(from, '--out', out, '--resume');
    expect([resumed.code, resumed.stdout]).toEqual([0, '0 issued, 2 skipped (already issued)\n']);
    expect(await readFile(join(out, 'web-01.creds'), 'utf8')).toBe(first);

    expect((await issue(from, '--out', out, '--force')).stdout).toBe('2 issued\n');
    expect(await readFile(join(out, 'web-01.creds'), 'utf8')).not.toBe(first);
  });

  it('does not mistake another file for the credentials of a peel when it resumes', async () => {
    await issue(await list('db-01\n'), '--out', out);
    await writeFile(join(out, 'web-01.creds'), 'half of something');
    await writeFile(join(out, 'web-02.creds'), await readFile(join(out, 'db-01.creds')));
    const from = await list('web-01\nweb-02\nweb-03\n');
    const { code, stdout, stderr } = await issue(from, '--out', out, '--resume');

    expect([code, stdout]).toEqual([1, '1 issued, 2 failed\n']);
    expect(stderr).toMatch(/line 1: web-01: .*is not a complete \.creds file/);
    expect(stderr).toMatch(/line 2: web-02: .*the credentials of "db-01"/);
    expect(await readFile(join(out, 'web-01.creds'), 'utf8')).toBe('half of something');
  });

  it('stops at an interrupt, reports its progress, exits with 130, and continues with --resume', async () => {
    const ids = Array.from({ length: 800 }, (_, i) => `web-${i}`);
    const from = await list(ids.join('\n'));
    const onListening = (interrupt: (signal: 'SIGINT') => void) => {
      const probe = setInterval(() => {
        if (!existsSync(join(out, 'web-9.creds'))) return;
        clearInterval(probe);
        interrupt('SIGINT');
      }, 1);
    };
    const stopped = await issueWith({ onListening }, from, '--out', out, '--workers', '0');
    expect(stopped.code).toBe(130);
    const before = (await readdir(out)).length;
    expect(stopped.stderr).toContain(`interrupted after ${before} issued`);
    expect(before).toBeLessThan(800);

    const resumed = await issue(from, '--out', out, '--resume', '--workers', '0');
    expect(resumed.stdout).toBe(`${800 - before} issued, ${before} skipped (already issued)\n`);
    expect(await readdir(out)).toHaveLength(800);
  });

  it('reports what it has issued when a file cannot be written', async () => {
    const from = await list(Array.from({ length: 200 }, (_, i) => `web-${i}`).join('\n'));
    await mkdir(join(out, 'web-100.creds'));
    const { code, stdout, stderr } = await issue(from, '--out', out, '--force', '--json');

    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot write .*web-100\.creds/);
    const files = (await readdir(out)).length - 1;
    expect(files).toBeGreaterThan(0);
    expect(JSON.parse(stdout)).toEqual({ sink: 'dir', issued: files, passedOver: 0, failed: 0 });
  });

  it('refuses a directory or a journal that another run uses', async () => {
    const from = await list('web-01\n');
    const journal = join(out, 'done.txt');
    const others = [await claim(out), await claim(out, 'done.txt')];
    const files = await issue(from, '--out', out);
    const open = await openFiles();
    const streamed = await issue(from, '--sink', 'ndjson', '--journal', journal);
    await expect.poll(openFiles).toEqual(open);
    for (const { release } of others) await release();

    for (const { code, stdout, stderr } of [files, streamed]) {
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain('ERR_FILE_IN_USE');
    }
    expect(await readdir(out)).toEqual([]);
    expect((await issue(from, '--out', out)).stdout).toBe('1 issued\n');
    expect(await readdir(out)).toEqual(['web-01.creds']);
  });

  it('records credentials that threads issue in the home, in list order, even if delivery fails', async () => {
    const home = join(dir, 'home-of-threads');
    await createTrustDomain(home);
    const ids = Array.from({ length: 700 }, (_, i) => `web-${i}`);
    const from = await list(ids.join('\n'));
    const args = ['creds', 'issue', '--home', home, '--from', from, '--workers', '2'];
    expect((await zester([...args, '--out', out])).code).toBe(0);
    const { stdout } = await zester([...args, '--sink', 'ndjson']);

    const noted = await readIssued((await openTrustDomain(home)).paths.issued);
    expect(noted.map(({ peelId }) => peelId)).toEqual([...ids, ...ids]);
    const { claims } = await loadCredsFile(join(out, 'web-699.creds'));
    expect(noted[699]?.publicKey).toBe(claims.sub);
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { publicKey: string };
    expect(noted.at(-1)?.publicKey).toBe(last.publicKey);
  });

  it('shows its progress on a terminal, and clears it at the end', async () => {
    const from = await list(Array.from({ length: 1_500 }, (_, i) => `web-${i}`).join('\n'));
    const { stderr, code } = await issueWith({ tty: true }, from, '--out', out, '--workers', '0');

    expect(code).toBe(0);
    expect(stderr).toMatch(/\r\[[#.]{24}\] [\d,]+ issued, [\d,]+\/s, \d+:\d\d left/);
    expect(stderr.endsWith('\r\u001b[K')).toBe(true);
  });

  it('as ndjson writes one object per line, and notes elsewhere', async () => {
    const { code, stdout, stderr } = await issue(await list('web-01\nweb-02\n'), '--sink', 'ndjson');

    expect(code).toBe(0);
    const documents = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(documents.map(({ peelId }) => peelId)).toEqual(['web-01', 'web-02']);
    for (const { peelId = '', publicKey, creds = '' } of documents) {
      expect(parseCredsData(creds, peelId).claims).toMatchObject({ name: peelId, sub: publicKey });
    }
    expect(stderr).toBe('2 issued\n');
  });

  it('writes no secrets to a terminal without --force', async () => {
    const from = await list('web-01\n');
    const refused = await issueWith({ tty: true }, from, '--sink', 'ndjson');
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect((await issueWith({ tty: true }, from, '--sink', 'ndjson', '--force')).code).toBe(0);
  });

  it('as kubernetes writes a Secret for each peel, one stream of YAML', async () => {
    const from = await list('web-01\nWeb_01\n');
    const { code, stdout } = await issue(from, '--sink', 'kubernetes', '--namespace', 'fleet');

    expect(code).toBe(0);
    const manifests = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
    expect(manifests.map(({ metadata }) => metadata.name)).toEqual([
      'zester-peel-web-01',
      expect.stringMatching(/^zester-peel-web-01-[0-9a-f]{16}$/),
    ]);
    for (const { kind, metadata, stringData } of manifests) {
      expect([kind, metadata.namespace]).toEqual(['Secret', 'fleet']);
      const { claims } = parseCredsData(stringData['peel.creds'], 'manifest');
      expect(claims.name).toBe(metadata.annotations['zester/peel-id']);
    }
  });

  it('gives each peel its own Secret, with a valid Kubernetes name', () => {
    const ids = ['web-01', 'WEB-01', 'Web_01', 'web_01', 'a', 'a-', 'x'.repeat(128), '0'];
    const names = ids.map(secretName);
    expect(new Set(names).size).toBe(ids.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,251}[a-z0-9])?$/);
  });

  it.each([
    [['--sink', 'exec'], '--sink exec needs a program'],
    [['--sink', 'ndjson', '--resume'], 'needs the --journal'],
    [['--sink', 'tar'], 'needs --out'],
    [['--sink', 'age'], 'needs a recipient'],
    [['--sink', 'age', '-r', 'age1nonsense'], 'is not an age recipient'],
    [['--sink', 'nowhere'], 'nowhere'],
    [['--parallel', '2'], 'need --sink exec'],
    [['--expiry', 'soon'], 'is not a lifetime'],
    [['--workers', '-1'], 'must be a whole number'],
    [['--scoped'], '--issuer-account'],
    [['--journal', 'x'], 'does not use --journal'],
    [['--', 'cat'], 'a program can be given with --sink exec only'],
  ])('exits with 2 for %j, and issues nothing', async (args, why) => {
    const from = await list('web-01\n');
    const { code, stdout, stderr } = await issue(from, ...args);

    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(why);
  });

  it('creates the directory of --out, for its owner only, and accepts trailing comments', async () => {
    const made = join(dir, 'new', 'peels');
    const { code } = await issue(await list('# all\nweb-01  # rack 3\n  # none\n'), '--out', made);

    expect(code).toBe(0);
    expect((await stat(made)).mode & 0o777).toBe(0o700);
    expect(await readdir(made)).toEqual(['web-01.creds']);
  });

  it('does not repeat an age identity that was given as a recipient', async () => {
    const secret = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`;
    const { code, stderr } = await issue(await list('web-01\n'), '--sink', 'age', '-r', secret, '--out', out);

    expect(code).toBe(2);
    expect(stderr).not.toContain('QQQQ');
  });

  it.each([['a list that is not there', ['--out', '.'], 'missing.txt', 'ERR_FILE_NOT_FOUND']])(
    'exits with 1 for %s',
    async (_what, args, missing, error) => {
      const from = missing === undefined ? await list('web-01\n') : join(dir, missing);
      const { code, stderr } = await issue(from, ...args);

      expect(code).toBe(1);
      expect(stderr).toContain(error);
    },
  );
});

interface Manifest {
  kind: string;
  metadata: { name: string; namespace: string; annotations: Record<string, string> };
  stringData: { 'peel.creds': string };
}
