import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConnectionCredentials } from '../../src/connection/connect.js';
import { generateCredsFile } from '../../src/creds/generate.js';
import { expiryTime } from '../../src/jwt/expiry.js';
import { PeelCredentials } from '../../src/peel/peel-credentials.js';
import { tempDir } from '../support/temp-dir.js';
import { newCreds } from './credentials.js';

const creds = newCreds();
const inUse = { current: creds } as ConnectionCredentials;

describe('the credentials of a peel', () => {
  it('in a file are stored there, and recovered by default', () => {
    const credentials = new PeelCredentials({ kind: 'file', path: 'web-01.creds' }, {});
    expect(credentials.store?.path).toBe('web-01.creds');
    expect(credentials.recoveryFiles).toBeDefined();
    expect(credentials.noStore()).toBeUndefined();
  });

  it.each([{ recovery: false }, { renew: false }] as const)('are not recovered with %o', (options) => {
    const credentials = new PeelCredentials({ kind: 'file', path: 'web-01.creds' }, options);
    expect(credentials.recoveryFiles).toBeUndefined();
    expect(credentials.store).toBeDefined();
  });

  it.each([
    { kind: 'bytes', creds },
    { kind: 'provider', provider: { load: async () => Buffer.alloc(0) } },
  ] as const)('that cannot be stored are neither stored nor recovered: $kind', (given) => {
    const credentials = new PeelCredentials(given, {});
    expect([credentials.store, credentials.recoveryFiles]).toEqual([undefined, undefined]);
    expect(credentials.noStore()).toMatchObject({ code: 'ERR_CREDS_NO_STORE' });
  });

  it('in use are known once the peel is connected', () => {
    const credentials = new PeelCredentials({ kind: 'bytes', creds }, {});
    expect(() => credentials.current).toThrow('not connected');
    expect(credentials.expiresAt).toBeUndefined();
    credentials.inUse = inUse;
    expect(credentials.current).toBe(creds);
    expect(credentials.expiresAt).toBe(expiryTime(creds.claims));
  });

  it('are those that the program has loaded, until the file may have changed', async () => {
    const path = join(await tempDir(), 'web-01.creds');
    const newer = newCreds();
    await writeFile(path, generateCredsFile(newer.jwt, newer.seed), { mode: 0o600 });
    const credentials = new PeelCredentials({ kind: 'file', path, loaded: creds }, {});
    expect((await credentials.load()).publicKey).toBe(creds.publicKey);
    expect((await credentials.loadNow()).publicKey).toBe(newer.publicKey);
    credentials.forgetLoaded();
    expect((await credentials.load()).publicKey).toBe(newer.publicKey);
    expect(credentials.given).toEqual({ kind: 'file', path });
  });
});
