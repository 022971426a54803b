import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bootstrapPeelCreds, type BootstrapPeelOptions } from '../../src/creds/bootstrap.js';
import { writeCredsFile } from '../../src/creds/generate.js';
import { createAccountJwt } from '../../src/jwt/account.js';
import { createOperatorJwt } from '../../src/jwt/operator.js';
import { createUserJwt, type UserJwtOptions } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { reforge } from '../jwt/forge.js';
import { tempDir } from '../support/temp-dir.js';
import { zester } from './run-zester.js';

const account = generateKeyBundle('account');
const DAY_MS = 86_400_000;
let dir: string;
let files = 0;

beforeAll(async () => {
  dir = await tempDir();
});

async function creds(options: BootstrapPeelOptions = {}, signer = account) {
  const path = join(dir, `${(files += 1)}.creds`);
  return { path, ...(await bootstrapPeelCreds(signer, 'web-01', path, options)) };
}

describe('zester creds inspect FILE', () => {
  it('shows the user, the issuer, the permissions, the times and the size', async () => {
    const { path, user, jwt } = await creds({ expiry: 86_400 });
    const { code, stdout } = await zester(['creds', 'inspect', path]);

    expect(code).toBe(0);
    expect(stdout).toMatch(/name +web-01\n/);
    expect(stdout).toMatch(new RegExp(`public key +${user.publicKey}\n`));
    expect(stdout).toMatch(new RegExp(`issuer +${account.publicKey}\n`));
    expect(stdout).toContain('zester.event.web-01.>');
    expect(stdout).toContain('zester.cmd.web-01.>');
    expect(stdout).toMatch(/expires +in 23 hours \(\d{4}-/);
    expect(stdout).toContain(`${jwt.length} bytes of JWT`);
  });

  it.each([
    [-1, 'in 24 hours'],
    [23 * 3_600_000, 'in 60 minutes'],
    [DAY_MS - 1_000, 'in 1 second'],
    [DAY_MS, 'now'],
    [DAY_MS + 3 * DAY_MS, '3 days ago'],
    [DAY_MS + 1000 * DAY_MS, '2 years ago'],
  ])('describes the expiry in words, %d ms after the issue: %s', async (after, words) => {
    const issued = Date.UTC(2030, 0, 1);
    const { path } = await creds({ expiry: 86_400, now: () => issued });
    const { stdout } = await zester(['creds', 'inspect', path], { now: issued + after });

    expect(stdout).toMatch(new RegExp(`expires +${words} \\(2030-01-02T00:00:00Z\\)`));
  });

  it('reports that it never expires', async () => {
    const { path } = await creds();
    expect((await zester(['creds', 'inspect', path])).stdout).toMatch(/expires +never\n/);
  });

  it('reports that the permissions come from the scoped signing key', async () => {
    const signingKey = generateKeyBundle('account');
    const { path } = await creds({ scoped: true, issuerAccount: account.publicKey }, signingKey);
    const { stdout } = await zester(['creds', 'inspect', path]);

    expect(stdout).toContain('from the template of the scoped signing key');
    expect(stdout).toMatch(new RegExp(`issuer +${signingKey.publicKey} \\(a signing key\\)`));
    expect(stdout).toMatch(new RegExp(`account +${account.publicKey}\n`));
  });

  it('prints the same as one JSON document with --json', async () => {
    const { path, user, jwt } = await creds({
      expiry: 86_400,
      tags: ['eu'],
      now: () => Date.UTC(2030, 0, 1),
    });
    const { stdout } = await zester(['creds', 'inspect', path, '--json'], { now: Date.UTC(2030, 0, 5) });

    expect(JSON.parse(stdout)).toMatchObject({
      path,
      name: 'web-01',
      publicKey: user.publicKey,
      issuer: account.publicKey,
      account: account.publicKey,
      issuedAt: '2030-01-01T00:00:00.000Z',
      notBefore: null,
      expiresAt: '2030-01-02T00:00:00.000Z',
      expired: true,
      permissions: { from: 'jwt', responses: null },
      bearer: false,
      tags: ['eu'],
      jwtBytes: jwt.length,
    });
  });

  it('never shows the seed', async () => {
    const { path, user } = await creds();
    const seed = Buffer.from(user.seed).toString();
    for (const args of [[], ['--json'], ['--debug'], ['--quiet']]) {
      const { stdout, stderr } = await zester(['creds', 'inspect', path, ...args]);
      expect(stdout + stderr).not.toContain(seed);
    }
  });

  it('warns about a file that others can read', async () => {
    const { path } = await creds();
    await chmod(path, 0o644);
    const { code, stderr } = await zester(['creds', 'inspect', path, '--quiet']);

    expect(code).toBe(0);
    expect(stderr).toMatch(/^zester: warning: .* mode 0644/);
  });

  it('escapes control characters, so that an untrusted name cannot manipulate the terminal', async () => {
    const user = generateKeyBundle('user');
    const path = join(dir, 'odd.creds');
    await writeCredsFile(path, createUserJwt(user, account, { name: '\u001b[31mroot\r\u202e' }), user.seed);
    const { stdout } = await zester(['creds', 'inspect', path]);

    expect(stdout).toContain('\\u001b[31mroot\\u000d\\u202e');
    expect(stdout).not.toContain('\u001b');
  });

  it('exits with 1 and one line for a file that is not a .creds file, and with 3 for an altered one', async () => {
    const bad = join(dir, 'bad.creds');
    await writeFile(bad, 'hello');
    const malformed = await zester(['creds', 'inspect', bad]);
    expect(malformed).toMatchObject({ code: 1, stdout: '' });
    expect(malformed.stderr).toMatch(/^zester: [^\n]+ \[ERR_CREDS_NO_JWT\]\n$/);

    const one = await creds();
    const other = generateKeyBundle('user');
    await writeFile(
      bad,
      `-----BEGIN NATS USER JWT-----\n${one.jwt}\n------END NATS USER JWT------\n` +
        `-----BEGIN USER NKEY SEED-----\n${Buffer.from(other.seed).toString()}\n------END USER NKEY SEED------\n`,
    );
    const mismatch = await zester(['creds', 'inspect', bad]);
    expect(mismatch).toMatchObject({ code: 3, stdout: '' });
    expect(mismatch.stderr).toMatch(/^zester: [^\n]+ \[ERR_CREDS_SEED_MISMATCH\]\n$/);
  });
});

describe('zester creds inspect and verify show every claim that restricts', () => {
  it.each<[string, Partial<UserJwtOptions>, RegExp, object]>([
    ['subscriptions', { subscriptions: 7 }, /subscriptions +at most 7\b/, { subscriptions: 7 }],
    ['payload', { payload: 1234 }, /payload +at most 1234 bytes/, { payload: 1234 }],
    ['data', { data: 99 }, /data +at most 99 bytes/, { data: 99 }],
    [
      'networks',
      { sourceNetworks: ['10.9.0.0/16'] },
      /networks +10\.9\.0\.0\/16/,
      { networks: ['10.9.0.0/16'] },
    ],
    [
      'hours',
      { times: [{ start: '08:00:00', end: '17:00:00' }], timesLocation: 'Europe/Berlin' },
      /times +08:00:00 to 17:00:00 in Europe\/Berlin/,
      { times: [{ start: '08:00:00', end: '17:00:00' }], timesLocation: 'Europe/Berlin' },
    ],
    [
      'connection types',
      { allowedConnectionTypes: ['WEBSOCKET', 'MQTT'] },
      /connects by +WEBSOCKET, MQTT/,
      { connectionTypes: ['WEBSOCKET', 'MQTT'] },
    ],
  ])('%s', async (_, options, shown, document) => {
    const user = generateKeyBundle('user');
    const path = join(dir, `${(files += 1)}.creds`);
    await writeCredsFile(path, createUserJwt(user, account, { name: 'u', ...options }), user.seed);
    expect((await zester(['creds', 'inspect', path])).stdout).toMatch(shown);
    const { stdout } = await zester(['creds', 'inspect', path, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ limits: document });
    const verified = await zester(['creds', 'verify', path]);
    expect(verified.code).toBe(0);
    expect(verified.stdout.replace(/ +/g, ' ')).toMatch(new RegExp(shown.source.replaceAll(' +', ' ')));
  });

  it('a need for a proxy, and claims that this version does not know', async () => {
    const user = generateKeyBundle('user');
    const path = join(dir, `${(files += 1)}.creds`);
    const plain = createUserJwt(user, account, { name: 'u' });
    const jwt = reforge(
      plain,
      account,
      ({ nats }) => void Object.assign(nats, { proxy_required: true, moon: 1 }),
    );
    await writeCredsFile(path, jwt, user.seed);
    for (const command of ['inspect', 'verify']) {
      const { stdout } = await zester(['creds', command, path]);
      expect(stdout).toMatch(/proxy +required/);
      expect(stdout).toContain('moon');
    }
  });

  it('nothing where nothing restricts', async () => {
    const user = generateKeyBundle('user');
    const path = join(dir, `${(files += 1)}.creds`);
    await writeCredsFile(path, createUserJwt(user, account, { name: 'u' }), user.seed);
    expect((await zester(['creds', 'inspect', path])).stdout).not.toMatch(
      /subscriptions|payload|networks|times/,
    );
    expect((await zester(['creds', 'verify', path])).stdout).toMatch(/ok +limits +none/);
  });

  it('the restrictions of a scoped signing key’s template, if the account JWT is given', async () => {
    const operator = generateKeyBundle('operator');
    const signer = generateKeyBundle('account');
    const scoped = { publicKey: signer.publicKey, role: 'peel', payload: 4321 };
    const jwts = { operator: join(dir, 'o.jwt'), account: join(dir, 'a.jwt') };
    await writeFile(jwts.operator, createOperatorJwt(operator, { name: 'o' }));
    await writeFile(jwts.account, createAccountJwt(account, operator, { name: 'a', signingKeys: [scoped] }));
    const { path } = await creds({ scoped: true, issuerAccount: account.publicKey }, signer);
    const args = ['--operator-jwt', jwts.operator, '--account-jwt', jwts.account];
    expect((await zester(['creds', 'verify', path, ...args])).stdout).toMatch(/limits +payload at most 4321/);
    expect((await zester(['creds', 'verify', path])).stdout).toMatch(/limits +from the template/);
  });

  it('connection types without the standard one, as a warning', async () => {
    const user = generateKeyBundle('user');
    const path = join(dir, `${(files += 1)}.creds`);
    const options = { name: 'u', allowedConnectionTypes: ['WEBSOCKET'] } as const;
    await writeCredsFile(path, createUserJwt(user, account, options), user.seed);
    expect((await zester(['creds', 'verify', path])).stdout).toMatch(/warning +limits/);
  });

  it('a start time in the future', async () => {
    const { path } = await creds({ notBefore: 4_000_000_000 });
    expect((await zester(['creds', 'verify', path])).stdout).toMatch(/warning +expiry +not valid before/);
  });
});
