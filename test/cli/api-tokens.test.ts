import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addApiToken, ApiTokens, readApiTokens, tokenFile } from '../../src/cli/api/token-store.js';
import { writeSecretFile } from '../../src/files/write-secret-file.js';
import { refusal } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';
import { ZESTER } from '../support/zester-command.js';
import { zester } from './run-zester.js';

let home: string;
beforeAll(async () => {
  home = join(await tempDir(), 'home');
  expect((await zester(['init', '--home', home])).code).toBe(0);
});

/**
 * Runs a command line as a separate process.
 *
 * @returns the exit code
 */
function inProcess(...args: string[]): Promise<number> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...ZESTER, ...args, '--home', home], (error) =>
      resolve(error === null ? 0 : Number(error.code)),
    );
  });
}

async function names(): Promise<string[]> {
  return (await readApiTokens(home)).map(({ name }) => name).toSorted();
}

describe('the tokens of the HTTP interface', () => {
  it('are all there after commands that ran at once, in processes of their own', async () => {
    const out = await tempDir();
    const create = (name: string) => inProcess('api', 'create-token', name, '--out', join(out, name));
    const first = ['a1', 'a2', 'a3', 'a4'];
    expect(await Promise.all(first.map(create))).toEqual([0, 0, 0, 0]);
    expect(await names()).toEqual(first);
    const ends = [create('b1'), inProcess('api', 'remove-token', 'a1'), create('b2'), create('a2')];
    // names are unique
    expect((await Promise.all(ends)).map((code) => code === 0)).toEqual([true, true, true, false]);
    expect(await names()).toEqual(['a2', 'a3', 'a4', 'b1', 'b2']);
  });

  it('are not repeated when one is given as a name', async () => {
    const { secret } = await addApiToken(home, {
      name: 'leaked',
      role: 'viewer',
      lifetimeSeconds: 600,
      now: Date.now(),
    });
    for (const verb of ['create-token', 'remove-token']) {
      const { code, stdout, stderr } = await zester(['api', verb, secret, '--home', home]);
      expect([code, `${stdout}${stderr}`.includes(secret)]).toEqual([2, false]);
      expect(stderr).toContain('a token was given where its name belongs');
    }
    expect((await zester(['api', 'remove-token', 'leaked', '--home', home])).code).toBe(0);
  });

  it('do not include one that could not be written', async () => {
    const before = await names();
    const { code, stderr } = await zester([
      ...['api', 'create-token', 'lost', '--home', home],
      ...['--out', join(home, 'no-such-directory', 'lost.token')],
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('no-such-directory');
    expect(await names()).toEqual(before);
  });

  it('still work after an attempt to create too many', async () => {
    const full = await tempDir();
    const at = { role: 'viewer', lifetimeSeconds: 600, now: Date.now() } as const;
    const { secret, token } = await addApiToken(full, { ...at, name: 'first' });
    const tokens = Array.from({ length: 1_000 }, (_, i) => ({ ...token, name: i === 0 ? 'first' : `t${i}` }));
    await writeSecretFile(tokenFile(full), Buffer.from(JSON.stringify({ version: 1, tokens })));
    await refusal('ERR_TRUST_OPTIONS', () => addApiToken(full, { ...at, name: 'one-more' }));
    expect(await new ApiTokens(full, Date.now).find(secret)).toMatchObject({ role: 'viewer' });
    // expired tokens make room
    const later = { ...at, now: at.now + 601_000 };
    expect((await addApiToken(full, { ...later, name: 'one-more' })).token.name).toBe('one-more');
    expect((await readdir(full)).toSorted()).toEqual(['api-tokens.json', 'lock']);
  });
});
