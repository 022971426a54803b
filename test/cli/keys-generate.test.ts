import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCurveKey } from '../../src/nkeys/curve.js';
import { publicKeyFromSeed } from '../../src/nkeys/key-bundle.js';
import { tempDir } from '../support/temp-dir.js';
import { zester } from './run-zester.js';

describe('zester keys generate <role>', () => {
  it.each([
    ['operator', 'O'],
    ['account', 'A'],
    ['user', 'U'],
    ['curve', 'X'],
  ])(
    "writes the seed of %s's key to a file of mode 0600, and prints the public key",
    async (role, letter) => {
      const path = join(await tempDir(), 'key.seed');
      const { code, stdout, stderr } = await zester(['keys', 'generate', role, '--out', path]);

      expect(code).toBe(0);
      const seed = await readFile(path);
      const publicKey = role === 'curve' ? loadCurveKey(seed).publicKey : publicKeyFromSeed(seed);
      expect(stdout).toBe(`${publicKey}\n`);
      expect(publicKey[0]).toBe(letter);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(stdout + stderr).not.toContain(seed.toString().trim());
    },
  );

  it('prints one JSON document with --json, without the seed', async () => {
    const path = join(await tempDir(), 'key.seed');
    const { stdout } = await zester(['keys', 'generate', 'user', '--out', path, '--json']);

    const publicKey = publicKeyFromSeed(await readFile(path));
    expect(JSON.parse(stdout)).toEqual({ role: 'user', publicKey, path });
  });

  it('prints nothing to standard error with --quiet', async () => {
    const path = join(await tempDir(), 'key.seed');
    const { stdout, stderr } = await zester(['keys', 'generate', 'user', '--out', path, '--quiet']);

    expect(stderr).toBe('');
    expect(stdout).toMatch(/^U[A-Z2-7]{55}\n$/);
  });

  it('replaces an existing file only with --force', async () => {
    const path = join(await tempDir(), 'key.seed');
    await writeFile(path, 'precious');

    const refused = await zester(['keys', 'generate', 'user', '--out', path]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('[ERR_FILE_EXISTS]');
    expect(await readFile(path, 'utf8')).toBe('precious');

    const forced = await zester(['keys', 'generate', 'user', '--out', path, '--force']);
    expect(forced.code).toBe(0);
    expect(await readFile(path, 'utf8')).toMatch(/^SU/);
  });

  it('prints the seed with --stdout to a pipe, and the public key on standard error', async () => {
    const { code, stdout, stderr } = await zester(['keys', 'generate', 'account', '--stdout']);

    expect(code).toBe(0);
    expect(stderr).toBe(`public key: ${publicKeyFromSeed(stdout)}\n`);
  });

  it('does not print a seed on a terminal without --force', async () => {
    const refused = await zester(['keys', 'generate', 'user', '--stdout'], { tty: true });
    expect(refused.code).toBe(2);
    expect(refused.stdout).toBe('');

    const forced = await zester(['keys', 'generate', 'user', '--stdout', '--force'], { tty: true });
    expect(forced.code).toBe(0);
    expect(forced.stdout).toMatch(/^SU/);
  });

  it.each([
    ['no place for the seed', ['user']],
    ['two places for the seed', ['user', '--stdout', '--out', 'x']],
    ['an unknown role', ['admin', '--stdout']],
    ['no role', ['--stdout']],
    ['an unknown option', ['user', '--stdot']],
    ['an argument too many', ['user', 'more', '--stdout']],
  ])('exits with 2 and one line on standard error for %s', async (_what, args) => {
    const { code, stdout, stderr } = await zester(['keys', 'generate', ...args]);

    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^zester: [^\n]+ \[ERR_USAGE\]\n$/);
  });
});
