import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCredsFile, parseCredsData, writeCredsFile, type CredentialEvent } from '../../src/index.js';
import { FileCredentialSource } from '../../src/creds/file-credential-source.js';
import type { CredentialHolderOptions } from '../../src/creds/credential-holder.js';
import { expectNoSeed, refusal } from '../support/refusal.js';
import { makeCredentials, type Credentials } from './credentials.js';

let directory: string;
let path: string;
let events: CredentialEvent[];
const first = makeCredentials();
const second = makeCredentials();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zester-test-'));
  path = join(directory, 'peel.creds');
  events = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function source(options: CredentialHolderOptions = {}): FileCredentialSource {
  return new FileCredentialSource(path, { onEvent: (event) => events.push(event), ...options });
}

const write = (made: Credentials) => writeCredsFile(path, made.jwt, made.seed);

describe('the credentials of a file', () => {
  it('are read at each connect, and an event reports new ones', async () => {
    await write(first);
    const credentials = source();
    expect(credentials.authenticator('n')).toMatchObject({ jwt: first.jwt, nkey: first.user.publicKey });
    expect(credentials.authenticator('n')).toMatchObject({ jwt: first.jwt });
    await write(second);
    expect(credentials.authenticator('n')).toMatchObject({ jwt: second.jwt, nkey: second.user.publicKey });
    expect(events).toEqual([
      {
        type: 'credentialsLoaded',
        path,
        publicKey: first.user.publicKey,
        name: 'web-01',
        expiresAt: undefined,
      },
      {
        type: 'credentialsLoaded',
        path,
        publicKey: second.user.publicKey,
        name: 'web-01',
        expiresAt: undefined,
      },
    ]);
  });

  it('that were loaded before cause no event', async () => {
    await write(first);
    const credentials = source({ initial: await loadCredsFile(path) });
    expect(credentials.current?.jwt).toBe(first.jwt);
    expect(credentials.refresh()).toBe('unchanged');
    expect(events).toEqual([]);
  });

  it('say when they expire, in milliseconds', async () => {
    const made = makeCredentials({ expiry: 60, now: () => 1_000_000 });
    await write(made);
    expect(source({ now: () => 1_000_000 }).refresh()).toBe('changed');
    expect(events).toMatchObject([{ type: 'credentialsLoaded', expiresAt: 1_060_000 }]);
  });

  it('show no seed, and neither do their events', async () => {
    await write(first);
    const credentials = source();
    credentials.authenticator('n');
    await writeFile(path, second.text.replace(first.seed, second.seed).slice(0, -90));
    credentials.authenticator('n');
    expect(events).toHaveLength(2);
    for (const shown of [credentials, credentials.authenticator, ...events]) {
      expectNoSeed(shown, first.seed, second.seed);
    }
  });
});

describe('the last good credentials stay in use', () => {
  const bad: [string, () => unknown, string][] = [
    ['is missing', () => rm(path), 'ERR_FILE_NOT_FOUND'],
    ['is empty', () => writeFile(path, ''), 'ERR_CREDS_NO_JWT'],
    ['is torn', () => writeFile(path, second.text.slice(0, 200)), 'ERR_CREDS_FORMAT'],
    ['is garbage', () => writeFile(path, Buffer.from([0, 255, 13, 10, 1])), 'ERR_CREDS_NO_JWT'],
    [
      'holds a mismatched pair',
      () => writeFile(path, first.text.replace(first.seed, second.seed)),
      'ERR_CREDS_SEED_MISMATCH',
    ],
    ['is too large', () => writeFile(path, ' '.repeat(100_000)), 'ERR_CREDS_TOO_LARGE'],
    ['has become a directory', async () => (await rm(path), await mkdir(path)), 'ERR_FILE_IS_DIRECTORY'],
    ['holds expired ones', () => write(makeCredentials({ expiry: 1, now: () => 1e12 })), 'ERR_CREDS_EXPIRED'],
    [
      'holds ones that are not valid yet',
      () => write(makeCredentials({ notBefore: Math.floor(Date.now() / 1000) + 60 })),
      'ERR_CREDS_NOT_YET_VALID',
    ],
    ["holds another peel's", () => write(makeCredentials({ name: 'web-02' })), 'ERR_CREDS_OTHER_PEEL'],
  ];

  it.each(bad)(
    'when the file %s; an event says so, and valid ones are used when they arrive',
    async (_, spoil, code) => {
      await write(first);
      const credentials = source({ keepName: true });
      credentials.authenticator('n');
      await spoil();
      events = [];
      expect(credentials.authenticator('n')).toMatchObject({ jwt: first.jwt, nkey: first.user.publicKey });
      expect(events).toMatchObject([
        { type: 'credentialsRejected', path, error: { code }, inUse: first.user.publicKey },
      ]);
      for (const event of events) expectNoSeed(event, first.seed, second.seed);
      await rm(path, { recursive: true, force: true });
      await write(second);
      expect(credentials.authenticator('n')).toMatchObject({ jwt: second.jwt });
    },
  );

  it('when the file has become a named pipe, which does not stop the process', async ({ skip }) => {
    skip(process.platform === 'win32', 'there are no named pipes in files');
    await write(first);
    const credentials = source();
    credentials.authenticator('n');
    await rm(path);
    execFileSync('mkfifo', [path]);
    expect(credentials.authenticator('n')).toMatchObject({ jwt: first.jwt });
    expect(events.at(-1)).toMatchObject({ type: 'credentialsRejected' });
  });
});

describe('held credentials, which could not be written to the file', () => {
  const held = makeCredentials();
  const parsed = ({ text }: Credentials) => parseCredsData(text, 'held');

  it.each([
    ['that was read', (credentials: FileCredentialSource) => credentials.refresh()],
    ['that only its caller has read', () => undefined],
  ])('stay in use until a file %s changes', async (_, read) => {
    await write(first);
    const credentials = source({ initial: await loadCredsFile(path) });
    read(credentials);
    credentials.hold(parsed(held));
    expect(credentials.refresh()).toBe('unchanged');
    expect(credentials.authenticator('n')).toMatchObject({ jwt: held.jwt });
    await write(second);
    expect(credentials.refresh()).toBe('changed');
    expect(credentials.authenticator('n')).toMatchObject({ jwt: second.jwt });
    await write(first);
    expect(credentials.refresh()).toBe('changed');
  });

  it('give way to a file that was replaced before, but not read yet', async () => {
    await write(first);
    const credentials = source({ initial: await loadCredsFile(path) });
    credentials.refresh();
    await write(second);
    credentials.hold(parsed(held));
    expect(credentials.refresh()).toBe('changed');
    expect(credentials.authenticator('n')).toMatchObject({ jwt: second.jwt });
  });
});

describe('the authenticator never throws', () => {
  it('without any good credentials: it sends none, for the server to refuse', () => {
    expect(source().authenticator('n')).toBeUndefined();
    expect(events).toMatchObject([{ type: 'credentialsRejected', inUse: undefined }]);
  });

  it('when a listener throws', async () => {
    await write(first);
    const credentials = source({
      onEvent: () => {
        throw new Error('in the listener');
      },
    });
    expect(credentials.authenticator('n')).toMatchObject({ jwt: first.jwt });
  });

  it('when the credentials it was given were wiped, and the file is still there: that is read', async () => {
    await write(first);
    const before = await loadCredsFile(path);
    const credentials = source({ initial: before });
    before.wipe();
    expect(credentials.authenticator('n')).toMatchObject({ jwt: first.jwt });
    const used = await loadCredsFile(path);
    const { authenticator } = source({ initial: used });
    authenticator('n');
    used.wipe();
    expect(authenticator('n')).toMatchObject({ jwt: first.jwt });
    expect(events).toEqual([]);
  });

  it('when its credentials were wiped and the file is missing', async () => {
    await write(first);
    const initial = await loadCredsFile(path);
    const credentials = source({ initial });
    initial.wipe();
    await rm(path);
    expect(credentials.authenticator('n')).toBeUndefined();
    expect(events.at(-1)).toMatchObject({ type: 'credentialsRejected', error: { code: 'ERR_CREDS_WIPED' } });
  });
});

describe("another peel's file", () => {
  it('is not used where a name is expected, not even at first', async () => {
    await write(makeCredentials({ name: 'web-02' }));
    const credentials = source({ expectedName: 'web-01' });
    expect(credentials.authenticator('n')).toBeUndefined();
    expect(events).toMatchObject([{ type: 'credentialsRejected', error: { code: 'ERR_CREDS_OTHER_PEEL' } }]);
  });

  it('is used if no name is requested', async () => {
    await write(first);
    const credentials = source();
    credentials.refresh();
    await write(makeCredentials({ name: 'web-02' }));
    expect(credentials.refresh()).toBe('changed');
  });
});

describe('credentials before their time', () => {
  it('are used from the second of their not-before on, in an unchanged file', async () => {
    await write(first);
    const made = makeCredentials({ notBefore: 1_060 });
    let now = 1_000_000;
    const credentials = source({ now: () => now });
    credentials.refresh();
    expect(credentials.validInMs).toBeUndefined();
    await write(made);
    expect(credentials.refresh()).toBe('rejected');
    expect(credentials.validInMs).toBe(60_000);
    now = 1_059_999;
    expect(credentials.refresh()).toBe('rejected');
    expect(credentials.authenticator('n')).toMatchObject({ jwt: first.jwt });
    now = 1_060_000;
    expect(credentials.validInMs).toBe(0);
    expect(credentials.refresh()).toBe('changed');
    expect(credentials.authenticator('n')).toMatchObject({ jwt: made.jwt });
    expect(credentials.validInMs).toBeUndefined();
  });

  it('are reported with the time from which they are valid', async () => {
    await write(makeCredentials({ notBefore: 1_893_456_000 }));
    source({ now: () => 0 }).refresh();
    expect(events).toMatchObject([{ type: 'credentialsRejected', error: { path } }]);
    expect(JSON.stringify(events.map((event) => 'error' in event && event.error.message))).toContain(
      'not valid before 2030-01-01T00:00:00.000Z',
    );
  });

  it('are no longer waited for once the file has others, or none', async () => {
    const early = makeCredentials({ notBefore: 1_060 });
    const credentials = source({ now: () => 1_000_000 });
    for (const replace of [() => write(first), () => rm(path), () => writeFile(path, 'torn')]) {
      await write(early);
      credentials.refresh();
      expect(credentials.validInMs).toBe(60_000);
      await replace();
      credentials.refresh();
      expect(credentials.validInMs).toBeUndefined();
    }
  });

  it('cannot be held', async () => {
    await write(first);
    const credentials = source({ initial: await loadCredsFile(path), now: () => 1_000_000 });
    const early = parseCredsData(makeCredentials({ notBefore: 1_060 }).text, 'early');
    await refusal('ERR_CREDS_NOT_YET_VALID', () => credentials.hold(early));
    expect(credentials.current?.jwt).toBe(first.jwt);
  });
});

describe('credentials past their time', () => {
  it('are reported once', async () => {
    const made = makeCredentials({ expiry: 60, now: () => 1_000_000 });
    await write(made);
    let now = 1_000_000;
    const credentials = source({ now: () => now });
    expect(credentials.authenticator('n')).toMatchObject({ jwt: made.jwt });
    credentials.reportExpiry();
    const expiries = () => events.filter(({ type }) => type === 'credentialsExpired');
    expect(expiries()).toEqual([]);
    now = 1_060_000;
    for (let i = 0; i < 3; i++) expect(credentials.authenticator('n')).toMatchObject({ jwt: made.jwt });
    credentials.reportExpiry();
    expect(expiries()).toEqual([
      { type: 'credentialsExpired', path, publicKey: made.user.publicKey, expiredAt: 1_060_000 },
    ]);
  });
});
