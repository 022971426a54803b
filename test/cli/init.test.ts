import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { homePath, serverUrls } from '../../src/trust/home.js';
import { foreignDomain } from '../trust/foreign-domain.js';
import { tempDir } from '../support/temp-dir.js';
import { zester } from './run-zester.js';
import { SEED } from '../support/refusal.js';

async function newHome(): Promise<string> {
  return join(await tempDir(), 'home');
}

function json(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}

describe('zester init', () => {
  it('creates keys, JWTs, credentials and the configuration', async () => {
    const home = await newHome();
    const { code, stdout, stderr } = await zester([
      'init',
      '--home',
      home,
      '--operator',
      'acme',
      '--account',
      'plant',
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain(`created a trust domain in ${home}`);
    expect(stdout).toMatch(/operator +acme +O[A-Z2-7]{55}/);
    expect(stderr).toContain('zester server');
    expect((await readdir(home)).sort()).toEqual([
      'creds',
      'jwt',
      'keys',
      'lock',
      'nats-server',
      'zester.json',
    ]);
    expect(stdout + stderr).not.toMatch(SEED);
  });

  it('changes nothing when it is run again, and reports that', async () => {
    const home = await newHome();
    const first = json((await zester(['init', '--home', home, '--json'])).stdout);
    const settings = await readFile(join(home, 'zester.json'), 'utf8');
    const again = await zester(['init', '--home', home]);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toContain('nothing was changed');
    expect(json((await zester(['init', '--home', home, '--json'])).stdout)).toEqual({
      ...first,
      state: 'unchanged',
      made: [],
    });
    expect(await readFile(join(home, 'zester.json'), 'utf8')).toBe(settings);
  });

  it('completes an interrupted run, and names the missing parts', async () => {
    const home = await newHome();
    await zester(['init', '--home', home]);
    await rm(join(home, 'zester.json'));
    await rm(join(home, 'jwt', 'account.jwt'));
    await rm(join(home, 'jwt', 'system.jwt'));
    const { code, stdout } = await zester(['init', '--home', home]);
    expect(code).toBe(0);
    expect(stdout).toContain('3 of 18 files were missing');
  });

  it('lets credentials expire after 90 days, another time, or never', async () => {
    const expiries = async (...args: string[]) => {
      const home = await newHome();
      expect(await zester(['init', '--home', home, ...args])).toMatchObject({ code: 0 });
      const listed = await zester(['creds', 'inspect', '--json', join(home, 'creds', 'master.creds')]);
      const { issuedAt, expiresAt } = json(listed.stdout) as { issuedAt: string; expiresAt: string | null };
      return { home, days: expiresAt && (Date.parse(expiresAt) - Date.parse(issuedAt)) / 86_400_000 };
    };
    const { home, days } = await expiries();
    expect(days).toBe(90);
    expect((await expiries('--creds-lifetime', '7d')).days).toBe(7);
    for (const never of ['0', 'none']) {
      const forever = await expiries('--creds-lifetime', never);
      expect(forever.days).toBeNull();
      const again = await zester(['init', '--home', forever.home, '--creds-lifetime', '7d']);
      expect(again.stderr).toContain('"zester keys add master-signing"');
    }
    const again = await zester(['init', '--home', home, '--creds-lifetime', '7d']);
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing was changed') as string,
    });
    expect(again.stderr).toContain(`edit "lifetime" below "renewal" in ${join(home, 'zester.json')}`);
    for (const wrong of ['soon', '5', '-1d', '2031-01-31'])
      expect(await zester(['init', '--home', await newHome(), '--creds-lifetime', wrong])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('is not a lifetime') as string,
      });
  });

  it('refuses a damaged home, and names the missing parts', async () => {
    const home = await newHome();
    await zester(['init', '--home', home]);
    await rm(join(home, 'jwt', 'account.jwt'));
    const { code, stderr } = await zester(['init', '--home', home]);
    expect(code).toBe(1);
    expect(stderr).toContain(join(home, 'jwt', 'account.jwt'));
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('stores the servers for commands that connect, and writes no configuration for remote ones', async () => {
    const home = await newHome();
    const servers = ['nats://n1.example:4222', 'nats://n2.example:4222'];
    const { stderr } = await zester(['init', '--home', home, '--servers', ...servers]);
    expect(stderr).toContain('zester server config');
    expect(json(await readFile(join(home, 'zester.json'), 'utf8'))['servers']).toEqual(servers);
    expect(await readdir(home)).not.toContain('nats-server');
    const other = await zester(['init', '--home', home, '--servers', 'nats://n3.example']);
    expect(other.code).toBe(0);
    expect(other.stderr).toContain('are still nats://n1.example:4222');
  });

  it.each([
    [['--tls-cert', 'x.crt'], 'certFile and keyFile must be given together'],
    [['--servers', 'nats://n1.example', '--require-tls'], 'nats://n1.example:4222 would not be encrypted'],
  ])('creates no home that no command could connect with: %j', async (flags, words) => {
    const home = join(await tempDir(), 'home');
    const { code, stderr } = await zester(['init', '--home', home, ...flags]);
    expect(code).not.toBe(0);
    expect(stderr).toContain(words);
    await expect(stat(home)).rejects.toThrow('ENOENT');
  });

  it('reports that an existing home keeps its servers', async () => {
    const home = await tempDir();
    const tls = ['--servers', 'tls://n1.example', '--tls-ca', '/ca.crt'];
    await zester(['init', '--home', home, ...tls]);
    expect((await zester(['init', '--home', home, ...tls])).stderr).not.toContain('TLS');
    for (const other of [['--tls-ca', '/other.crt'], ['--require-tls']]) {
      expect((await zester(['init', '--home', home, ...other])).stderr).toContain('the TLS settings of ');
    }
  });

  it.each([
    ['http://n1', 'ERR_CONNECT_URL'],
    ['nats://user:secret@n1', 'ERR_CONNECT_URL'],
    ['nats://', 'ERR_CONNECT_URL'],
    ['', 'ERR_CONNECT_NO_SERVERS'],
  ])('refuses "%s" as a server', async (url, error) => {
    const home = await newHome();
    const { code, stderr } = await zester(['init', '--home', home, '--servers', url]);
    expect(code).toBe(1);
    expect(stderr).toContain(error);
    expect(stderr).not.toContain('secret');
    expect(await readdir(join(home, '..'))).toEqual([]);
  });

  it('adopts an operator and an account that another tool made', async () => {
    const home = await newHome();
    const { files, accountFiles, operatorPublicKey, accountPublicKey } = await foreignDomain();
    const args = [
      ...['--operator-jwt', files.operatorJwt, '--operator-signing-seed', files.operatorSigningSeed],
      ...['--system-account-jwt', files.systemAccountJwt, '--system-creds', files.systemCreds],
      ...['--account-jwt', accountFiles.accountJwt, '--account-seed', accountFiles.accountSeed],
    ];
    const { code, stdout } = await zester(['init', '--home', home, ...args, '--json']);
    expect(code).toBe(0);
    expect(json(stdout)).toMatchObject({
      names: { operator: 'Acme', account: 'Plant 7' },
      publicKeys: { operator: operatorPublicKey, account: accountPublicKey },
    });
    expect((await zester(['init', '--home', home, ...args])).stdout).toContain('nothing was changed');
    expect((await zester(['init', '--home', home])).stdout).toContain('nothing was changed');
  });

  it('reports the name of a new account of an adopted operator, unless --account is given', async () => {
    const { files } = await foreignDomain();
    const args = [
      ...['--operator-jwt', files.operatorJwt, '--operator-signing-seed', files.operatorSigningSeed],
      ...['--system-account-jwt', files.systemAccountJwt, '--system-creds', files.systemCreds],
    ];
    const unnamed = await zester(['init', '--home', await newHome(), ...args]);
    expect([unnamed.code, unnamed.stderr]).toEqual([
      0,
      expect.stringMatching(/named "fleet".*--account/) as string,
    ]);
    const named = await zester([
      'init',
      '--home',
      await newHome(),
      ...args,
      '--account',
      'plant-9',
      '--json',
    ]);
    expect(json(named.stdout)).toMatchObject({ names: { account: 'plant-9' } });
    expect(named.stderr).not.toContain('nsc stores');
  });

  it('names the missing files of an adoption, and refuses a seed on the command line', async () => {
    const home = await newHome();
    const { files, accountFiles } = await foreignDomain();
    const seed = (await readFile(files.operatorSigningSeed, 'utf8')).trim();
    const missing = await zester(['init', '--home', home, '--operator-jwt', files.operatorJwt]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('--operator-signing-seed');
    const both = [
      ...['--operator-jwt', files.operatorJwt, '--operator-signing-seed', files.operatorSigningSeed],
      ...['--system-account-jwt', files.systemAccountJwt],
    ];
    expect((await zester(['init', '--home', home, ...both])).code).toBe(2);
    const account = [...both, '--system-creds', files.systemCreds, '--account-jwt', accountFiles.accountJwt];
    expect((await zester(['init', '--home', home, ...account])).stderr).toContain('--account-seed');
    const given = await zester([
      'init',
      '--home',
      home,
      '--operator-jwt',
      'x',
      '--operator-signing-seed',
      seed,
    ]);
    expect(given.code).toBe(2);
    expect(given.stderr).not.toContain(seed);
  });

  it('refuses a home of a newer version, a home that others can read, and a file', async () => {
    const home = await newHome();
    await zester(['init', '--home', home]);
    const settings = join(home, 'zester.json');
    const text = await readFile(settings, 'utf8');
    await writeFile(settings, text.replace('"version": 1', '"version": 9'));
    for (const args of [['init'], ['creds', 'bootstrap', 'web-01'], ['server', 'config'], ['expirations']]) {
      const { code, stderr } = await zester([...args, '--home', home]);
      expect(code, args.join(' ')).toBe(1);
      expect(stderr).toContain('newer zester');
    }
    await writeFile(settings, text);
    await chmod(home, 0o755);
    expect((await zester(['init', '--home', home])).stderr).toContain(`chmod 700 ${home}`);
    expect((await zester(['init', '--home', settings])).stderr).toContain('ERR_TRUST_HOME');
  });
});

describe('the location of the home', () => {
  it('comes from --home, ZESTER_HOME, XDG_DATA_HOME, or the user’s home directory', () => {
    const env = { ZESTER_HOME: '/z', XDG_DATA_HOME: '/x', HOME: '/h' };
    expect(homePath('/given', env)).toBe('/given');
    expect(homePath(undefined, env)).toBe('/z');
    expect(homePath(undefined, { ...env, ZESTER_HOME: '' })).toBe('/x/zester');
    expect(homePath(undefined, { HOME: '/h', XDG_DATA_HOME: 'not/absolute' })).toBe('/h/.local/share/zester');
  });

  it('and the servers by --servers, ZESTER_SERVERS, the home, or the default on this machine', () => {
    const env = { ZESTER_SERVERS: 'nats://a, nats://b' };
    expect(serverUrls(['nats://c,nats://d'], ['nats://e'], env)).toEqual(['nats://c:4222', 'nats://d:4222']);
    expect(serverUrls(undefined, ['nats://e'], env)).toEqual(['nats://a:4222', 'nats://b:4222']);
    expect(serverUrls([], ['nats://e'], {})).toEqual(['nats://e:4222']);
    expect(serverUrls(undefined, undefined, {})).toEqual(['nats://127.0.0.1:4222']);
  });

  it('is used by creds bootstrap, which signs with its peel signing key', async () => {
    const home = await newHome();
    const init = json((await zester(['init', '--json'], { env: { ZESTER_HOME: home } })).stdout);
    const out = join(home, '..', 'web-01.creds');
    const made = await zester(['creds', 'bootstrap', 'web-01', '--out', out, '--json'], {
      env: { ZESTER_HOME: home },
    });
    expect(made.code).toBe(0);
    const { account, peelSigning } = init['publicKeys'] as Record<string, string>;
    expect(json(made.stdout)).toMatchObject({ issuer: peelSigning, account, scoped: true, expiresAt: null });
    const elsewhere = await zester(['creds', 'bootstrap', 'web-02', '--out', `${out}-2`], {
      env: { ZESTER_HOME: join(home, 'not-there') },
    });
    expect(elsewhere.stderr).toContain('zester init');
    expect((await zester(['creds', 'bootstrap', 'web-03', '--scoped', '--home', home])).code).toBe(2);
  });
});

describe('a home below a missing directory', () => {
  it('is created together with it', async () => {
    const home = join(await tempDir(), 'a', 'b');
    expect((await zester(['init', '--home', home])).code).toBe(0);
    await mkdir(join(home, 'extra'), { mode: 0o700 });
    expect((await zester(['init', '--home', home])).code).toBe(0);
  });
});
