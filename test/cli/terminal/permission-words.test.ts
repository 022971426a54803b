import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { permissionRows } from '../../../src/cli/terminal/permission-words.js';
import { createUserJwt, generateCredsFile, generateKeyBundle } from '../../../src/index.js';
import { tempDir } from '../../support/temp-dir.js';
import { zester } from '../run-zester.js';

describe('permissions in words', () => {
  it.each([
    ['nothing for a JWT without any', {}, []],
    [
      'everything where a list is empty, and what is denied',
      { pub: { deny: ['a'] }, sub: {} },
      ['publish everything, not a', 'subscribe everything'],
    ],
    [
      "the server's defaults for responses without numbers",
      { resp: { max: 0, ttl: 0 } },
      ['publish everything', 'subscribe everything', 'respond 1 answer to a request, within 120 s'],
    ],
    [
      'any number of responses, for any time',
      { pub: { allow: ['a'] }, sub: { allow: ['b'] }, resp: { max: -1, ttl: -1 } },
      ['publish a', 'subscribe b', 'respond any number of answers to a request'],
    ],
  ])('%s', (_, permissions, words) => {
    expect(permissionRows(permissions).map(([name, value]) => `${name} ${value.join(', ')}`)).toEqual(words);
  });

  it('are shown by creds verify, with the account of a signing key', async () => {
    const [account, signer, user] = [
      generateKeyBundle('account'),
      generateKeyBundle('account'),
      generateKeyBundle('user'),
    ];
    const jwt = createUserJwt(user, signer, {
      name: 'web-01',
      issuerAccount: account.publicKey,
      permissions: { publish: { allow: ['a.b'] }, subscribe: { deny: ['c.>'] } },
    });
    const path = join(await tempDir(), 'x.creds');
    await writeFile(path, generateCredsFile(jwt, user.seed), { mode: 0o600 });
    const { code, stdout } = await zester(['creds', 'verify', path]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${signer.publicKey}, a signing key of ${account.publicKey}`);
    expect(stdout).toContain('publish a.b; subscribe everything, not c.>');
  });
});
