import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileError } from '../../src/index.js';
import {
  bootstrapPeelCreds,
  decodeUserJwt,
  generateCurveKey,
  generateKeyBundle,
  loadCredsFile,
  loadKeyBundleFromFile,
  MAX_CREDS_BYTES,
  peelPermissions,
  writeCredsFile,
} from '../../src/index.js';
import { expectNoSeed, refusal } from '../support/refusal.js';
import { makeCredentials, text } from './credentials.js';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zester-test-'));
  path = join(directory, 'peel.creds');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('writeCredsFile', () => {
  it('writes the file with mode 0600, and loadCredsFile loads it', async () => {
    const made = makeCredentials();
    await writeCredsFile(path, made.jwt, made.user.seed);
    expect(await readFile(path, 'utf8')).toBe(made.text);
    expect((await stat(path)).mode & 0o7777).toBe(0o600);
    const creds = await loadCredsFile(path);
    expect(creds).toMatchObject({ jwt: made.jwt, path, source: 'file' });
    expectNoSeed(creds, made.seed);
    expectNoSeed(creds.natsOption(), made.seed);
  });

  it('writes nothing if JWT and seed do not match, and keeps the old file', async () => {
    const [made, other] = [makeCredentials(), makeCredentials()];
    await writeFile(path, 'old');
    await refusal(
      'ERR_CREDS_SEED_MISMATCH',
      () => writeCredsFile(path, made.jwt, other.seed),
      made.seed,
      other.seed,
    );
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(directory)).toEqual(['peel.creds']);
  });

  it('replaces a symlink, and does not write to its target', async () => {
    const made = makeCredentials();
    await writeFile(join(directory, 'target'), 'not touched');
    await symlink('target', path);
    await writeCredsFile(path, made.jwt, made.seed);
    expect((await lstat(path)).isFile()).toBe(true);
    expect(await readFile(join(directory, 'target'), 'utf8')).toBe('not touched');
  });

  it('explains how to create a missing directory', async () => {
    const made = makeCredentials();
    const missing = join(directory, 'none', 'peel.creds');
    await refusal(
      'ERR_FILE_DIRECTORY_NOT_FOUND',
      () => writeCredsFile(missing, made.jwt, made.seed),
      made.seed,
    );
  });
});

describe('loadCredsFile refuses', () => {
  it('a file that is not there, a directory, a file over 64 KiB, and no path at all', async () => {
    await refusal('ERR_FILE_NOT_FOUND', () => loadCredsFile(path));
    await mkdir(path);
    const error = await refusal('ERR_FILE_IS_DIRECTORY', () => loadCredsFile(path));
    expect((error as FileError).path).toBe(path);
    const large = join(directory, 'large');
    await writeFile(large, makeCredentials().text + ' '.repeat(MAX_CREDS_BYTES));
    await refusal('ERR_CREDS_TOO_LARGE', () => loadCredsFile(large));
    for (const none of ['', undefined, null, 7]) {
      await refusal('ERR_CREDS_INPUT', () => loadCredsFile(none as unknown as string));
    }
  });

  it('the credentials themselves in the place of their path, without showing them', async () => {
    const made = makeCredentials();
    await refusal('ERR_FILE_NOT_FOUND', () => loadCredsFile(made.seed), made.seed);
    await refusal('ERR_FILE_READ', () => loadCredsFile(made.text), made.seed);
    await refusal(
      'ERR_CREDS_INPUT',
      () => loadCredsFile(Buffer.from(made.text) as unknown as string),
      made.seed,
    );
  });

  it('a file that is torn, naming it', async () => {
    const made = makeCredentials();
    await writeFile(path, made.text.slice(0, 100));
    const error = await refusal('ERR_CREDS_FORMAT', () => loadCredsFile(path), made.seed);
    expect(error.message).toContain(path);
  });
});

describe('bootstrapPeelCreds', () => {
  it("makes a key, a JWT with the peel's subjects signed by the account, and the file", async () => {
    const account = generateKeyBundle('account');
    const { user, jwt } = await bootstrapPeelCreds(account, 'web-server-01', path, { expiry: 60 });
    const creds = await loadCredsFile(path);
    expect(creds.jwt).toBe(jwt);
    expect(creds.seed).toEqual(user.seed);
    expect(creds.claims).toMatchObject({
      name: 'web-server-01',
      iss: account.publicKey,
      sub: user.publicKey,
    });
    expect(creds.claims.exp).toBe(creds.claims.iat + 60);
    expect(creds.claims.nats.pub?.allow).toEqual(peelPermissions('web-server-01').publish?.allow);
    expect((await stat(path)).mode & 0o7777).toBe(0o600);
  });

  it('makes scoped credentials with a signing key of the account', async () => {
    const [account, signer] = [generateKeyBundle('account'), generateKeyBundle('account')];
    const options = { scoped: true, issuerAccount: account.publicKey };
    const { jwt } = await bootstrapPeelCreds(signer, 'web-01', path, options);
    expect(decodeUserJwt(jwt).nats).toEqual({ type: 'user', version: 2, issuer_account: account.publicKey });
    expect(decodeUserJwt(jwt).iss).toBe(signer.publicKey);
  });

  it('makes a new key each time, and replaces the file', async () => {
    const account = generateKeyBundle('account');
    const first = await bootstrapPeelCreds(account, 'web-01', path);
    const second = await bootstrapPeelCreds(account, 'web-01', path);
    expect(second.user.publicKey).not.toBe(first.user.publicKey);
    expect((await loadCredsFile(path)).publicKey).toBe(second.user.publicKey);
    expect(await readdir(directory)).toEqual(['peel.creds']);
  });

  it('writes nothing for a bad id, a wrong key or a JWT that is too large', async () => {
    const account = generateKeyBundle('account');
    await refusal('ERR_PEEL_ID', () => bootstrapPeelCreds(account, 'a.b', path), account.seed);
    const operator = generateKeyBundle('operator');
    await refusal('ERR_KEY_ROLE', () => bootstrapPeelCreds(operator, 'web-01', path), operator.seed);
    const allow = Array.from({ length: 200 }, (_, i) => `some.subject.number.${i}`);
    const permissions = { extend: { publish: { allow } } };
    await refusal(
      'ERR_JWT_TOO_LARGE',
      () => bootstrapPeelCreds(account, 'web-01', path, { permissions }),
      account.seed,
    );
    await refusal(
      'ERR_JWT_OPTIONS',
      () => bootstrapPeelCreds(account, 'web-01', path, { expiry: 0 }),
      account.seed,
    );
    await refusal(
      'ERR_JWT_OPTIONS',
      () => bootstrapPeelCreds(account, 'web-01', path, { scoped: true }),
      account.seed,
    );
    expect(await readdir(directory)).toEqual([]);
  });

  it('for many peels at once writes every file whole', async () => {
    const account = generateKeyBundle('account');
    const ids = Array.from({ length: 50 }, (_, i) => `web-${i}`);
    await Promise.all(ids.map((id) => bootstrapPeelCreds(account, id, join(directory, `${id}.creds`))));
    const names = await Promise.all(
      ids.map(async (id) => (await loadCredsFile(join(directory, `${id}.creds`))).claims.name),
    );
    expect(names).toEqual(ids);
    expect(await readdir(directory)).toHaveLength(50);
  });
});

describe('loadKeyBundleFromFile', () => {
  const made = makeCredentials();

  it.each<[string, string]>([
    ['a plain seed', made.seed],
    ['a plain seed and a line end', `${made.seed}\r\n`],
    ['a .creds file', made.text],
    ['a .creds file with \\r\\n', made.text.replaceAll('\n', '\r\n')],
    ['a decorated seed', `-----BEGIN USER NKEY SEED-----\n${made.seed}\n------END USER NKEY SEED------\n`],
  ])('loads %s', async (_, content) => {
    await writeFile(path, content);
    const key = await loadKeyBundleFromFile('user', path);
    expect(key.publicKey).toBe(made.user.publicKey);
  });

  it('loads a key saved by saveSeedToFile', async () => {
    const account = generateKeyBundle('account');
    await account.saveSeedToFile(path);
    expect((await loadKeyBundleFromFile('account', path)).publicKey).toBe(account.publicKey);
  });

  it.each<[string, string, string]>([
    ['nothing', '', 'ERR_KEY_FILE'],
    ['other text', 'hello\nworld\n', 'ERR_KEY_FILE'],
    ['two seeds', `${made.seed}\n${made.seed}\n`, 'ERR_KEY_FILE'],
    ['only a public key', made.user.publicKey, 'ERR_KEY_NOT_A_SEED'],
    ['a seed of another role', text(made.account.seed), 'ERR_KEY_ROLE'],
    ['the seed of a curve key', text(generateCurveKey().seed), 'ERR_KEY_ROLE'],
    [
      'a damaged seed',
      made.seed.slice(0, 30) + (made.seed[30] === 'A' ? 'B' : 'A') + made.seed.slice(31),
      'ERR_KEY_CHECKSUM',
    ],
    ['a seed that was cut', made.seed.slice(0, -2), 'ERR_KEY_ENCODING'],
    ['more than 64 KiB', `${'x\n'.repeat(40_000)}${made.seed}`, 'ERR_KEY_FILE'],
  ])('refuses a file with %s, and names the file', async (_, content, code) => {
    await writeFile(path, content);
    const secrets = [made.seed, made.account.seed, made.seed.slice(0, -2)];
    const error = await refusal(code, () => loadKeyBundleFromFile('user', path), ...secrets);
    expect(error.message).toContain(path);
  });

  it('rejects a missing file, and a seed instead of a path without printing it', async () => {
    await refusal('ERR_FILE_NOT_FOUND', () => loadKeyBundleFromFile('user', path));
    await refusal('ERR_FILE_NOT_FOUND', () => loadKeyBundleFromFile('user', made.seed), made.seed);
    await refusal('ERR_FILE_IS_DIRECTORY', () => loadKeyBundleFromFile('user', directory));
  });
});
