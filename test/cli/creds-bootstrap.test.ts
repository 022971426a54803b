import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../src/creds/parse.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { peelPermissions } from '../../src/permissions/roles.js';
import { tempDir } from '../support/temp-dir.js';
import { zester } from './run-zester.js';

const account = generateKeyBundle('account');
let dir: string;
let accountSeed: string;
let files = 0;
const newPath = () => join(dir, `${(files += 1)}.creds`);

beforeAll(async () => {
  dir = await tempDir();
  accountSeed = join(dir, 'account.seed');
  await account.saveSeedToFile(accountSeed);
});

const bootstrap = (...args: string[]) =>
  zester(['creds', 'bootstrap', ...args, '--account-seed', accountSeed]);

describe('zester creds bootstrap <peelId>', () => {
  it("writes the peel's .creds file, mode 0600, signed by the account, with the peel's own subjects", async () => {
    const out = newPath();
    const { code, stdout, stderr } = await bootstrap('web-server-01', '--out', out);

    expect(code).toBe(0);
    const { claims, seed, publicKey } = await loadCredsFile(out);
    expect(claims).toMatchObject({ name: 'web-server-01', iss: account.publicKey });
    expect(claims.nats.sub?.allow).toEqual(peelPermissions('web-server-01').subscribe?.allow);
    expect(claims.exp).toBeUndefined();
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    expect(stdout).toContain(publicKey);
    expect(stdout + stderr).not.toContain(Buffer.from(seed).toString());
    expect(stdout + stderr).not.toContain(Buffer.from(account.seed).toString());
  });

  it('prints its result as one JSON document with --json', async () => {
    const out = newPath();
    const { stdout } = await bootstrap('web-server-01', '--out', out, '--expiry', '1h', '--json');

    const { publicKey, claims } = await loadCredsFile(out);
    expect(JSON.parse(stdout)).toEqual({
      path: out,
      peelId: 'web-server-01',
      publicKey,
      issuer: account.publicKey,
      account: account.publicKey,
      scoped: false,
      expiresAt: new Date((claims.exp ?? 0) * 1000).toISOString(),
    });
  });

  it.each([
    ['90s', 90],
    ['15m', 900],
    ['24h', 86_400],
    ['7d', 604_800],
    ['2w', 1_209_600],
  ])('accepts the lifetime %s', async (expiry, seconds) => {
    const out = newPath();
    await bootstrap('web-01', '--out', out, '--expiry', expiry);

    const { claims } = await loadCredsFile(out);
    expect((claims.exp ?? 0) - claims.iat).toBe(seconds);
  });

  it('accepts an expiry date', async () => {
    const out = newPath();
    const args = ['creds', 'bootstrap', 'web-01', '--account-seed', accountSeed, '--out', out];
    await zester([...args, '--expiry', '2031-01-31'], { now: Date.UTC(2030, 0, 1) });

    const { claims } = await loadCredsFile(out);
    expect(claims.exp).toBe(Date.UTC(2031, 0, 31) / 1000);
  });

  it.each(['', 'soon', '24', '-1h', '0h', '1.5h', '2020-01-01', '2031-02-30', '2031-01-31T12:00:00'])(
    'exits with 2 for the lifetime "%s", and writes nothing',
    async (expiry) => {
      const out = newPath();
      const { code, stderr } = await bootstrap('web-01', '--out', out, '--expiry', expiry);

      expect(code).toBe(2);
      expect(stderr).toMatch(/^zester: [^\n]+ \[ERR_USAGE\]\n$/);
      expect(existsSync(out)).toBe(false);
    },
  );

  it('signs with a scoped signing key: the account is named, the JWT carries no permissions', async () => {
    const out = newPath();
    const owner = generateKeyBundle('account').publicKey;
    const { code } = await bootstrap('web-01', '--out', out, '--issuer-account', owner, '--scoped');

    expect(code).toBe(0);
    const { claims } = await loadCredsFile(out);
    expect(claims.nats).toEqual({ issuer_account: owner, type: 'user', version: 2 });
  });

  it('exits with 2 for --scoped without the account that the signing key signs for', async () => {
    const { code, stderr } = await bootstrap('web-01', '--out', newPath(), '--scoped');

    expect(code).toBe(2);
    expect(stderr).toContain('--issuer-account');
  });

  it('replaces an existing .creds file only with --force', async () => {
    const out = newPath();
    await bootstrap('web-01', '--out', out);
    const first = await readFile(out, 'utf8');

    const refused = await bootstrap('web-01', '--out', out);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('[ERR_FILE_EXISTS]');
    expect(await readFile(out, 'utf8')).toBe(first);

    expect((await bootstrap('web-01', '--out', out, '--force')).code).toBe(0);
    expect(await readFile(out, 'utf8')).not.toBe(first);
  });

  it.each(['*', '>', 'a.b', '', ' ', '../x', '_admin', 'a'.repeat(129), 'wеb-01', 'web\n01'])(
    'exits with 2 for the peel id %j, and writes nothing',
    async (peelId) => {
      const out = newPath();
      const { code, stderr } = await bootstrap(peelId, '--out', out);

      expect(code).toBe(2);
      expect(stderr).toMatch(/^zester: [^\n]+ \[ERR_PEEL_ID\]\n$/);
      expect(existsSync(out)).toBe(false);
    },
  );

  it('refuses a seed where its file belongs, and does not repeat it', async () => {
    const seed = Buffer.from(account.seed).toString();
    for (const option of ['', '--debug', '--json']) {
      const args = ['creds', 'bootstrap', 'web-01', '--account-seed', seed, option].filter(
        (arg) => arg !== '',
      );
      const { code, stdout, stderr } = await zester(args);

      expect(code).toBe(2);
      expect(stdout + stderr).not.toContain(seed.slice(0, 20));
    }
  });

  it.each(['operator', 'user'] as const)("exits with 1 for the seed of %s's key", async (role) => {
    const wrong = join(dir, `${role}.seed`);
    await generateKeyBundle(role).saveSeedToFile(wrong);
    const { code, stderr } = await zester([
      'creds',
      'bootstrap',
      'web-01',
      '--account-seed',
      wrong,
      '--out',
      newPath(),
    ]);

    expect(code).toBe(1);
    expect(stderr).toContain('[ERR_KEY_ROLE]');
  });

  it('exits with 1 when the directory of --out is missing', async () => {
    const { code, stderr } = await bootstrap('web-01', '--out', join(dir, 'nowhere', 'web-01.creds'));

    expect(code).toBe(1);
    expect(stderr).toContain('[ERR_FILE_DIRECTORY_NOT_FOUND]');
  });
});
