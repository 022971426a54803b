import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadKeyBundleFromFile } from '../../src/creds/load-key-bundle.js';
import { bootstrapPeelCreds } from '../../src/creds/bootstrap.js';
import { createTrustDomain } from '../../src/trust/create/create.js';
import type { TrustDomain } from '../../src/trust/domain.js';
import { tempDir } from '../support/temp-dir.js';
import { zester } from './run-zester.js';

let domain: TrustDomain;
let dir: string;
let wide: string;

beforeAll(async () => {
  dir = await tempDir();
  domain = await createTrustDomain(join(dir, 'home'));
  wide = join(dir, 'wide.creds');
  const account = await loadKeyBundleFromFile('account', domain.paths.accountSeed);
  await bootstrapPeelCreds(account, 'web-09', wide, {
    expiry: 3600,
    permissions: {
      replace: {
        publish: { allow: ['zester.fact.web-09', '$JS.API.CONSUMER.CREATE.KV_x.*.$KV.x.web-09.>'] },
        subscribe: { allow: ['_INBOX.>'] },
      },
    },
  });
});

const run = (...args: string[]) => zester(args, { env: { ZESTER_HOME: domain.home } });

describe('zester permissions lint', () => {
  it('finds nothing in the peels’ template, nor in credentials issued with it', async () => {
    const path = join(dir, 'web-01.creds');
    await domain.issuePeel('web-01', path);
    for (const args of [[], [path], [path, '--account-jwt', domain.paths.accountJwt]]) {
      const { code, stdout } = await run('permissions', 'lint', ...args);
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: expect.stringContaining('nothing found') as string,
      });
    }
  });

  it('names each rule, its fix and its documentation, and exits with 1', async () => {
    const { code, stdout, stderr } = await run('permissions', 'lint', wide);
    expect(code).toBe(1);
    expect(stdout).toMatch(/error +shared-inbox +subscribe _INBOX\.>/);
    expect(stdout).toContain('do: grant _INBOX.{{name()}}.>');
    expect(stdout).toContain('missing-flow-control');
    expect(stderr).toContain('docs/permissions-lint.md');
    expect(stderr).toContain('[ERR_FINDINGS]');
    const { stdout: document } = await run('permissions', 'lint', wide, '--json');
    const { findings } = JSON.parse(document) as { findings: { rule: string }[] };
    expect(findings.map(({ rule }) => rule).sort()).toEqual(['missing-flow-control', 'shared-inbox']);
  });

  it('reports that the account lacks the signing key of a scoped credential', async () => {
    const other = await createTrustDomain(join(dir, 'other'));
    const path = join(dir, 'foreign.creds');
    await other.issuePeel('web-01', path);
    const { code, stderr } = await run('permissions', 'lint', path);
    expect(code).toBe(3);
    expect(stderr).toContain('give the JWT of its account');
    const there = await run('permissions', 'lint', path, '--account-jwt', other.paths.accountJwt);
    expect(there.code).toBe(0);
  });
});

describe('zester expirations', () => {
  interface Listed {
    expirations: {
      what: string;
      name: string;
      path: string | null;
      expiresAt: string | null;
      expired: boolean;
    }[];
    unreadable: { code: string }[];
  }
  const list = async (...args: string[]) =>
    JSON.parse((await run('expirations', ...args, '--json')).stdout) as Listed;

  it('lists credentials of the home and of files by expiry, those without expiry last', async () => {
    await domain.issuePeel('web-02', join(dir, 'web-02.creds'), { expiry: 10 * 86_400 });
    const { expirations } = await list(dir);
    const names = expirations.map(({ name }) => name);
    expect(names.slice(0, 2)).toEqual(['web-09', 'web-02']);
    expect(names).toEqual(
      expect.arrayContaining(['zester', 'SYS', 'fleet', 'zester-master', 'zester-admin']),
    );
    expect(expirations.at(-1)?.expiresAt).toBeNull();
    expect(
      names.filter((name) => name === 'web-02'),
      'the file and the note of it are one',
    ).toHaveLength(1);
  });

  it('includes each peel’s newest credential that is stored elsewhere', async () => {
    await domain.issuePeel('web-03', join(dir, 'web-03.creds'), { expiry: 86_400 });
    await domain.issuePeel('web-03', join(dir, 'web-03.creds'), { expiry: 2 * 86_400 });
    const { expirations } = await list('--within', '5d');
    expect(expirations.filter(({ name }) => name === 'web-03')).toMatchObject([
      { what: 'issued', path: null },
    ]);
  });

  it('with --within, lists only credentials that expire by then, and reports if there are none', async () => {
    expect((await list(wide, '--within', '2h')).expirations).toMatchObject([
      { name: 'web-09', expired: false },
    ]);
    expect((await run('expirations', '--within', '1m')).stdout).toContain('nothing expires within 1m');
    expect((await run('expirations', '--within', 'soon')).code).toBe(2);
  });

  it('lists expired credentials', async () => {
    const { stdout } = await zester(['expirations', wide], {
      env: { ZESTER_HOME: join(dir, 'no-home') },
      now: Date.now() + 7_200_000,
    });
    expect(stdout).toMatch(/^\d+ minutes ago .*credentials +web-09/m);
  });

  it('skips and names files that are not credentials', async () => {
    const bad = join(dir, 'bad.txt');
    await writeFile(bad, 'nothing');
    const { code, stderr } = await run('expirations', bad, wide);
    expect(code).toBe(0);
    expect(stderr).toContain(bad);
    expect((await list(bad)).unreadable).toMatchObject([{ code: 'ERR_CREDS_NO_JWT' }]);
  });

  it('without a home requires files', async () => {
    const { code, stderr } = await zester(['expirations', '--home', join(dir, 'no-home'), wide]);
    expect(code).toBe(1);
    expect(stderr).toContain('zester init');
  });
});
