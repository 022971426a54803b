import { execFile } from 'node:child_process';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { tempDir } from '../support/temp-dir.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A program that prints its backend, bundled like a user's, in a folder without packages. */
let program: { esm: string; cjs: string };

beforeAll(async () => {
  const dir = await tempDir();
  const entry = join(dir, 'program.ts');
  const from = (path: string) => JSON.stringify(join(ROOT, 'src', path));
  await writeFile(
    entry,
    `import { generateKeyBundle } from ${from('nkeys/key-bundle.ts')};
     import { ed25519Info } from ${from('nkeys/ed25519.ts')};
     try {
       const key = generateKeyBundle('user');
       console.log(JSON.stringify({ ...ed25519Info(), works: key.verify('x', key.sign('x')) }));
     } catch (error) {
       console.log(JSON.stringify({ code: error.code, message: error.message }));
     }`,
  );
  program = { esm: join(dir, 'program.mjs'), cjs: join(dir, 'program.cjs') };
  for (const format of ['esm', 'cjs'] as const) {
    await build({
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      format,
      outfile: program[format],
      logLevel: 'error',
    });
  }
});

interface Report {
  backend?: string;
  seeds?: string;
  why?: string;
  works?: boolean;
  code?: string;
  message?: string;
}

async function report(
  dir: string,
  {
    choice,
    format = 'esm',
    prelude = '',
  }: { choice?: string; format?: 'esm' | 'cjs'; prelude?: string } = {},
): Promise<Report & { stderr: string }> {
  const file = join(dir, format === 'esm' ? 'program.mjs' : 'program.cjs');
  await cp(program[format], file);
  const env = { ...process.env };
  delete env['ZESTER_ED25519'];
  const { stdout, stderr } = await run('sh', ['-c', `${prelude} exec "$0" "$1"`, process.execPath, file], {
    env: { ...env, ...(choice !== undefined && { ZESTER_ED25519: choice }) },
  });
  return { ...(JSON.parse(stdout) as Report), stderr };
}

/** A folder in which sodium-native is installed. */
async function installed(): Promise<string> {
  const dir = await tempDir();
  await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  return dir;
}

/** A folder with a broken package of that name. */
async function damaged(source: string): Promise<string> {
  const dir = await tempDir();
  const folder = join(dir, 'node_modules/sodium-native');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"name":"sodium-native","version":"5.0.0"}');
  await writeFile(join(folder, 'index.js'), source);
  return dir;
}

describe('Ed25519 comes from', () => {
  it.each(['esm', 'cjs'] as const)(
    'sodium-native where it is installed, in a bundle of the format %s',
    async (format) => {
      expect(await report(await installed(), { format })).toMatchObject({
        backend: 'sodium-native',
        works: true,
        stderr: '',
      });
    },
  );

  it.each(['esm', 'cjs'] as const)(
    'node:crypto where nothing is installed, in a bundle of the format %s',
    async (format) => {
      expect(await report(await tempDir(), { format })).toMatchObject({
        backend: 'node:crypto',
        seeds: 'plain',
        why: 'sodium-native is not installed',
        works: true,
        stderr: '',
      });
    },
  );

  it.each([
    ['does not load', `throw new Error('wrong ELF class')`, /cannot be loaded: wrong ELF class/],
    ['lacks one of its own packages', `require('require-addon')`, /cannot be loaded: .*require-addon/],
    ['is another package', `module.exports = {}`, /cannot be loaded/],
    [
      'computes something else',
      `const real = require(${JSON.stringify(join(ROOT, 'node_modules/sodium-native'))});
      module.exports = { ...real, crypto_sign_detached: (signature) => signature.fill(7) };`,
      /fails its test/,
    ],
    [
      'accepts everything',
      `const real = require(${JSON.stringify(join(ROOT, 'node_modules/sodium-native'))});
      module.exports = { ...real, crypto_sign_verify_detached: () => true };`,
      /fails its test/,
    ],
  ])('node:crypto where sodium-native %s', async (_, source, why) => {
    expect(await report(await damaged(source))).toMatchObject({
      backend: 'node:crypto',
      why: expect.stringMatching(why) as string,
      works: true,
    });
  });

  it('node:crypto when ZESTER_ED25519 selects it', async () => {
    expect(await report(await installed(), { choice: 'node' })).toMatchObject({
      backend: 'node:crypto',
      works: true,
    });
  });

  it('nowhere if ZESTER_ED25519 names a missing or an unknown backend', async () => {
    const absent = await report(await tempDir(), { choice: 'sodium' });
    expect(absent).toMatchObject({ code: 'ERR_KEY_BACKEND' });
    expect(absent.message).toContain('npm install sodium-native');
    const broken = await report(await damaged(`throw new Error('wrong ELF class')`), { choice: 'sodium' });
    expect(broken.message).toContain('wrong ELF class');
    expect(await report(await installed(), { choice: 'openssl' })).toMatchObject({ code: 'ERR_KEY_BACKEND' });
  });
});

describe('the limit on locked memory', () => {
  it('leaves seeds guarded, with one warning, and everything works', async () => {
    const dir = await installed();
    const limited = await report(dir, { prelude: 'ulimit -l 0;' });
    // as root, the limit does not hold
    if (process.getuid?.() === 0) expect(['locked', 'guarded']).toContain(limited.seeds);
    else expect(limited.seeds).toBe('guarded');
    expect(limited.works).toBe(true);
    expect(limited.stderr.match(/ZESTER_MEMLOCK/g)?.length ?? 0).toBe(limited.seeds === 'guarded' ? 1 : 0);
    expect((await report(dir)).works).toBe(true);
  });
});
