/**
 * The specification of credentials files, promise by promise. Promises that need a server are in
 * test/integration/spec.test.ts.
 */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bootstrapPeelCreds,
  decodeUserJwt,
  generateCredsFile,
  generateKeyBundle,
  loadCredsFile,
  natsOptionFromSeed,
  natsOptionsForMaster,
  natsOptionsForPeel,
  parseCredsData,
  peelUserJwtOptions,
  createUserJwt,
  writeCredsFile,
} from '../../src/index.js';
import { verifySignature } from '../../src/nkeys/verify.js';
import { refusal } from '../support/refusal.js';
import { authenticate, makeCredentials, text } from './credentials.js';

const account = generateKeyBundle('account');
const user = generateKeyBundle('user');
const jwt = createUserJwt(user, account, { name: 'web-server-01' });
let directory: string;
let path: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zester-test-'));
  path = join(directory, 'peel.creds');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('File Format', () => {
  it('a .creds file contains two decorated sections', () => {
    expect(text(generateCredsFile(jwt, user.seed))).toBe(`-----BEGIN NATS USER JWT-----
${jwt}
------END NATS USER JWT------

************************* IMPORTANT *************************
  NKEY Seed printed below can be used to sign and prove identity.
  NKEYs are sensitive and should be treated as secrets.

-----BEGIN USER NKEY SEED-----
${text(user.seed)}
------END USER NKEY SEED------

*************************************************************
`);
  });

  it('it bundles a user JWT and its corresponding nkey seed', async () => {
    const other = generateKeyBundle('user');
    await refusal('ERR_CREDS_SEED_MISMATCH', () => generateCredsFile(jwt, other.seed), other.seed);
  });
});

describe('Handle with care', () => {
  it('Zester writes .creds files with mode 0600 (owner read/write only)', async () => {
    await writeCredsFile(path, jwt, user.seed);
    expect((await stat(path)).mode & 0o7777).toBe(0o600);
    await bootstrapPeelCreds(account, 'web-server-01', path);
    expect((await stat(path)).mode & 0o7777).toBe(0o600);
  });
});

describe('The CredsFile Struct', () => {
  it('has the user JWT token, the user nkey seed and the file path', async () => {
    await writeCredsFile(path, jwt, user.seed);
    const creds = await loadCredsFile(path);
    expect(creds.jwt).toBe(jwt);
    expect(creds.seed).toEqual(user.seed);
    expect(creds.path).toBe(path);
  });
});

describe('Generating Credentials, From Existing Keys', () => {
  it('generate the raw .creds content', () => {
    expect(parseCredsData(generateCredsFile(jwt, user.seed), 'raw').jwt).toBe(jwt);
  });

  it('or write directly to disk (mode 0600)', async () => {
    await writeCredsFile(path, jwt, user.seed);
    expect(await readFile(path)).toEqual(Buffer.from(generateCredsFile(jwt, user.seed)));
  });
});

describe('Bootstrapping Peel Credentials', () => {
  it('generates a complete set of credentials for a peel in one step', async () => {
    const out = join(directory, 'web-server-01.creds');
    const made = await bootstrapPeelCreds(account, 'web-server-01', out);
    const creds = await loadCredsFile(out);
    expect([creds.jwt, creds.seed]).toEqual([made.jwt, made.user.seed]);
  });

  it('1. generates a new user key pair', async () => {
    const first = await bootstrapPeelCreds(account, 'web-server-01', path);
    const second = await bootstrapPeelCreds(account, 'web-server-01', path);
    expect(first.user.role).toBe('user');
    expect(first.user.publicKey).not.toBe(second.user.publicKey);
  });

  it("2. creates a user JWT with PeelUserJWTOptions (scoped to the peel's subjects)", async () => {
    const made = await bootstrapPeelCreds(account, 'web-server-01', path);
    const bare = createUserJwt(made.user, account, peelUserJwtOptions('web-server-01', account.publicKey));
    expect(decodeUserJwt(made.jwt).nats).toEqual(decodeUserJwt(bare).nats);
    expect(decodeUserJwt(made.jwt).nats.sub?.allow).toContain('zester.cmd.web-server-01');
    expect(decodeUserJwt(made.jwt).iss).toBe(account.publicKey);
  });

  it('3. writes the .creds file to disk', async () => {
    const empty = await mkdtemp(join(directory, 'empty-'));
    await bootstrapPeelCreds(account, 'web-server-01', join(empty, 'web-server-01.creds'));
    expect(await readdir(empty)).toEqual(['web-server-01.creds']);
  });
});

describe('Loading Credentials', () => {
  it('from a file: creds.JWT => "eyJ0eXAi...", creds.Seed => []byte("SU..."), creds.Path => the path', async () => {
    await writeCredsFile(path, jwt, user.seed);
    const creds = await loadCredsFile(path);
    expect(creds.jwt).toMatch(/^eyJ0eXAi/);
    expect(creds.seed).toBeInstanceOf(Uint8Array);
    expect(text(creds.seed)).toMatch(/^SU/);
    expect(creds.path).toBe(path);
  });

  it('from raw bytes: creds.Path => "embedded-creds" (used for error messages)', async () => {
    const creds = parseCredsData(generateCredsFile(jwt, user.seed), 'embedded-creds');
    expect(creds.path).toBe('embedded-creds');
    const error = await refusal('ERR_CREDS_NO_JWT', () => parseCredsData('', 'embedded-creds'));
    expect(error.message).toContain('embedded-creds');
  });
});

describe('File-Based vs Inline Authentication', () => {
  it('loaded from a file: if the .creds file is replaced on disk, the new credentials are picked up', async () => {
    await writeCredsFile(path, jwt, user.seed);
    const options = (await loadCredsFile(path)).natsOption();
    expect(authenticate(options, 'n')?.['nkey']).toBe(user.publicKey);
    const next = makeCredentials();
    await writeCredsFile(path, next.jwt, next.seed);
    const answer = authenticate(options, 'n');
    expect(answer).toMatchObject({ jwt: next.jwt, nkey: next.user.publicKey });
    expect(verifySignature(next.user.publicKey, 'n', Buffer.from(answer?.['sig'] ?? '', 'base64url'))).toBe(
      true,
    );
  });

  it('parsed from bytes: an inline JWT and sign callback, which does not support rotation', async () => {
    await writeCredsFile(path, jwt, user.seed);
    const options = parseCredsData(await readFile(path), path).natsOption();
    const next = makeCredentials();
    await writeCredsFile(path, next.jwt, next.seed);
    expect(authenticate(options, 'n')).toMatchObject({ jwt, nkey: user.publicKey });
  });
});

describe('Seed-Only Authentication', () => {
  it('the client signs the nonce of the server with the private key, and sends no JWT', () => {
    const answer = authenticate(natsOptionFromSeed(user.seed), 'the nonce');
    expect(Object.keys(answer ?? {}).sort()).toEqual(['nkey', 'sig']);
    expect(answer?.['nkey']).toBe(user.publicKey);
    const signature = Buffer.from(answer?.['sig'] ?? '', 'base64url');
    expect(verifySignature(user.publicKey, 'the nonce', signature)).toBe(true);
  });
});

describe('Peel Connection Options', () => {
  it('Authentication: JWT + nkey from .creds file', async () => {
    await writeCredsFile(path, jwt, user.seed);
    const options = natsOptionsForPeel(path, 'web-server-01');
    expect(authenticate(options, 'n')).toMatchObject({ jwt, nkey: user.publicKey });
  });

  it('Connection name: zester-peel-<peelID>', () => {
    expect(natsOptionsForPeel(path, 'web-server-01').name).toBe('zester-peel-web-server-01');
  });

  it('Max reconnects: -1 (unlimited), never stop trying to reconnect', () => {
    expect(natsOptionsForPeel(path, 'web-server-01')).toMatchObject({
      reconnect: true,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
    });
  });

  it('Reconnect wait: default (2s + jitter)', () => {
    expect(natsOptionsForPeel(path, 'web-server-01')).toMatchObject({
      reconnectTimeWait: 2000,
      reconnectJitter: 100,
      reconnectJitterTLS: 1000,
    });
  });
});

describe('Master Connection Options', () => {
  it('Authentication: JWT + nkey from .creds file', async () => {
    await writeCredsFile(path, jwt, user.seed);
    expect(authenticate(natsOptionsForMaster(path), 'n')).toMatchObject({ jwt, nkey: user.publicKey });
  });

  it('Connection name: zester-master', () => {
    expect(natsOptionsForMaster(path).name).toBe('zester-master');
  });

  it('Max reconnects: -1 (unlimited), never stop trying to reconnect', () => {
    expect(natsOptionsForMaster(path)).toMatchObject({
      reconnect: true,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
    });
  });
});
