import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bootstrapPeelCreds, type BootstrapPeelOptions } from '../../src/creds/bootstrap.js';
import { createAccountJwt } from '../../src/jwt/account.js';
import { createOperatorJwt } from '../../src/jwt/operator.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { tempDir } from '../support/temp-dir.js';
import { zester } from './run-zester.js';

const operator = generateKeyBundle('operator');
const account = generateKeyBundle('account');
let dir: string;
let chain: string[];
let files = 0;

beforeAll(async () => {
  dir = await tempDir();
  chain = [
    '--operator-jwt',
    await file(`${createOperatorJwt(operator, { name: 'op' })}\n`),
    '--account-jwt',
    await file(createAccountJwt(account, operator, { name: 'acc' })),
  ];
});

async function file(content: string): Promise<string> {
  const path = join(dir, `${(files += 1)}.jwt`);
  await writeFile(path, content);
  return path;
}

async function creds(options: BootstrapPeelOptions = {}, signer = account) {
  const path = join(dir, `${(files += 1)}.creds`);
  return { path, ...(await bootstrapPeelCreds(signer, 'web-01', path, options)) };
}

interface Verdict {
  ok: boolean;
  checks: { check: string; status: string }[];
}
const statuses = (stdout: string) =>
  Object.fromEntries((JSON.parse(stdout) as Verdict).checks.map(({ check, status }) => [check, status]));

describe('zester creds verify FILE', () => {
  it('accepts a valid file, and reports that the chain was not checked without the JWTs', async () => {
    const { path } = await creds({ expiry: 3_600 });
    const { code, stdout, stderr } = await zester(['creds', 'verify', path, '--json']);

    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(statuses(stdout)).toEqual({
      file: 'ok',
      signature: 'ok',
      mode: 'ok',
      expiry: 'ok',
      limits: 'ok',
      chain: 'not checked',
    });
    const people = await zester(['creds', 'verify', path]);
    expect(people.stdout).toMatch(/: valid\n/);
    expect(people.stdout).toMatch(/not checked +chain/);
  });

  it('checks the chain up to the operator with the two JWTs', async () => {
    const { path } = await creds();
    const { code, stdout } = await zester(['creds', 'verify', path, ...chain, '--json']);

    expect(code).toBe(0);
    expect(statuses(stdout)['chain']).toBe('ok');
  });

  it('also reads JWTs in the format of nsc', async () => {
    const { path } = await creds();
    const decorate = (kind: string, jwt: string) =>
      file(`-----BEGIN NATS ${kind} JWT-----\r\n${jwt}\r\n------END NATS ${kind} JWT------\r\n`);
    const { code } = await zester([
      ...['creds', 'verify', path],
      ...['--operator-jwt', await decorate('OPERATOR', createOperatorJwt(operator, { name: 'op' }))],
      ...['--account-jwt', await decorate('ACCOUNT', createAccountJwt(account, operator, { name: 'acc' }))],
    ]);

    expect(code).toBe(0);
  });

  it('exits with 3 for an expired credential, and names the failed check', async () => {
    const { path } = await creds({ expiry: 60, now: () => Date.UTC(2030, 0, 1) });
    const { code, stdout, stderr } = await zester(['creds', 'verify', path, '--json'], {
      now: Date.UTC(2030, 0, 2),
    });

    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false });
    expect(statuses(stdout)['expiry']).toBe('failed');
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'ERR_CREDS_EXPIRED' } });
  });

  it('exits with 3 for a credential of a foreign account', async () => {
    const { path } = await creds({}, generateKeyBundle('account'));
    const { code, stdout, stderr } = await zester(['creds', 'verify', path, ...chain]);

    expect(code).toBe(3);
    expect(stdout).toContain('not trusted');
    expect(stdout).toMatch(/failed +chain/);
    expect(stderr).toMatch(/^zester: [^\n]+ \[ERR_CHAIN_USER_ISSUER\]\n$/);
  });

  it('exits with 3 for a revoked credential', async () => {
    const { path, user } = await creds();
    const revocations = { [user.publicKey]: Math.floor(Date.now() / 1000) + 10 };
    const revoking = await file(createAccountJwt(account, operator, { name: 'acc', revocations }));
    const args = [...chain.slice(0, 3), revoking];
    const { code, stderr } = await zester(['creds', 'verify', path, ...args]);

    expect(code).toBe(3);
    expect(stderr).toContain('[ERR_CHAIN_USER_REVOKED]');
  });

  it('warns about a file that others can read', async () => {
    const { path } = await creds();
    await chmod(path, 0o640);
    const { code, stdout } = await zester(['creds', 'verify', path, '--json']);

    expect(code).toBe(0);
    expect(statuses(stdout)['mode']).toBe('warning');
  });

  it('exits with 1 for files that are missing or contain no JWT', async () => {
    const { path } = await creds();
    const nothing = await file('nothing');

    expect((await zester(['creds', 'verify', join(dir, 'none.creds')])).code).toBe(1);
    const empty = await zester([
      'creds',
      'verify',
      path,
      '--operator-jwt',
      nothing,
      '--account-jwt',
      nothing,
    ]);
    expect(empty).toMatchObject({ code: 1, stdout: '' });
    expect(empty.stderr).toContain('[ERR_JWT_FORMAT]');
  });

  it('exits with 2 if only one of the two JWTs is given', async () => {
    const { path } = await creds();
    expect((await zester(['creds', 'verify', path, ...chain.slice(0, 2)])).code).toBe(2);
  });
});
