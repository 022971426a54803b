import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  generateCurveKey,
  generateKeyBundle,
  natsOptionFromSeed,
  natsOptionsForMaster,
  natsOptionsForPeel,
  writeCredsFile,
} from '../../src/index.js';
import { authenticate, makeCredentials } from '../creds/credentials.js';
import { expectNoSeed, refusal } from '../support/refusal.js';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zester-test-'));
  path = join(directory, 'peel.creds');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('options for a peel', () => {
  it('keep its inboxes from other peels', () => {
    expect(natsOptionsForPeel(path, 'web-01').inboxPrefix).toBe('_INBOX.web-01');
  });

  it('read the file when connecting, not before: it may come later', async () => {
    const options = natsOptionsForPeel(path, 'web-01');
    expect(authenticate(options, 'n')).toBeUndefined();
    const made = makeCredentials();
    await writeCredsFile(path, made.jwt, made.seed);
    expect(authenticate(options, 'n')).toMatchObject({ jwt: made.jwt });
  });

  it("do not use another peel's file once they had their own", async () => {
    const made = makeCredentials();
    await writeCredsFile(path, made.jwt, made.seed);
    const options = natsOptionsForPeel(path, 'web-01');
    authenticate(options, 'n');
    const other = makeCredentials({ name: 'web-02' });
    await writeCredsFile(path, other.jwt, other.seed);
    expect(authenticate(options, 'n')).toMatchObject({ jwt: made.jwt });
  });

  it('show no seed', async () => {
    const made = makeCredentials();
    await writeCredsFile(path, made.jwt, made.seed);
    for (const options of [natsOptionsForPeel(path, 'web-01'), natsOptionsForMaster(path)]) {
      authenticate(options, 'n');
      expectNoSeed(options, made.seed);
    }
  });

  it('need credentials', async () => {
    await refusal('ERR_CONNECT_OPTIONS', () => natsOptionsForPeel('', 'web-01'));
    await refusal('ERR_CONNECT_OPTIONS', () => natsOptionsForMaster(undefined as unknown as string));
  });
});

describe('options for a master', () => {
  it("equal a peel's options, except for the name and the inboxes", () => {
    const {
      authenticator: a,
      name: masterName,
      inboxPrefix: masterInbox,
      ...master
    } = natsOptionsForMaster(path);
    const {
      authenticator: b,
      name: peelName,
      inboxPrefix: peelInbox,
      ...peel
    } = natsOptionsForPeel(path, 'web-01');
    expect(master).toEqual(peel);
    expect([typeof a, typeof b]).toEqual(['function', 'function']);
    expect(masterName).not.toBe(peelName);
    expect(masterInbox).not.toBe(peelInbox);
  });
});

describe('options from a seed', () => {
  const user = generateKeyBundle('user');

  it('take it as bytes and as text, and do not close the connection on authentication errors', () => {
    for (const seed of [user.seed, Buffer.from(user.seed).toString()]) {
      const options = natsOptionFromSeed(seed);
      expect(authenticate(options, 'n')?.['nkey']).toBe(user.publicKey);
      expect(options.ignoreAuthErrorAbort).toBe(true);
    }
  });

  it('do not depend on later changes of the given bytes', () => {
    const seed = user.seed;
    const options = natsOptionFromSeed(seed);
    seed.fill(0);
    expect(authenticate(options, 'n')?.['nkey']).toBe(user.publicKey);
  });

  it('show no seed', () => {
    expectNoSeed(natsOptionFromSeed(user.seed), user.seed);
  });

  it("refuse a seed that is not a user's", async () => {
    for (const key of [generateKeyBundle('account'), generateKeyBundle('operator'), generateCurveKey()]) {
      await refusal('ERR_KEY_ROLE', () => natsOptionFromSeed(key.seed), key.seed);
    }
    await refusal('ERR_KEY_ENCODING', () => natsOptionFromSeed('hunter2'));
    await writeFile(path, 'x');
    await refusal('ERR_KEY_ENCODING', () => natsOptionFromSeed(path));
  });
});
