import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageVersion } from '../../src/cli/version.js';
import { startOperatorServer } from '../support/operator-server.js';
import { tempDir } from '../support/temp-dir.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What goes into the package is made from these alone, and the checkout's own `dist` stays as it is. */
const SOURCES = [
  'src',
  'man',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'SECURITY.md',
];

/** What is published. */
let tarball: string;
/** The files of the tarball. */
let packed: string[];
/** An empty folder into which the tarball was installed. */
let app: string;

beforeAll(async () => {
  const dir = await tempDir();
  const source = join(dir, 'source');
  await mkdir(source);
  for (const name of SOURCES) await cp(join(ROOT, name), join(source, name), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(source, 'node_modules'));
  await run('npm', ['pack', '--pack-destination', dir], { cwd: source });
  tarball = join(dir, `zester-${packageVersion()}.tgz`);
  packed = (await run('tar', ['-tzf', tarball])).stdout.trim().split('\n');

  app = join(dir, 'app');
  await mkdir(app);
  await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  const types = (
    JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    }
  ).devDependencies['@types/node'];
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', ...quiet, tarball, `@types/node@${types}`], { cwd: app });
}, 240_000);

/**
 * Type-checks and compiles a program of the app strictly, the types of all packages included. (Not with
 * `exactOptionalPropertyTypes`: the types of @nats-io/nats-core do not hold with it.)
 */
async function compile(name: string, source: string): Promise<void> {
  await writeFile(join(app, `${name}.ts`), source);
  const strict = ['--strict', '--noUncheckedIndexedAccess', '--skipLibCheck', 'false'];
  const target = ['--target', 'es2022', '--module', 'nodenext', '--types', 'node'];
  await run(join(ROOT, 'node_modules/.bin/tsc'), [...strict, ...target, `${name}.ts`], { cwd: app }).catch(
    (error: { stdout: string }) => {
      throw new Error(`it does not compile:\n${error.stdout}`);
    },
  );
}

/** Runs something while the package that the command line needs is not there. */
async function withoutCommander<T>(use: () => Promise<T>): Promise<T> {
  const [there, away] = [join(app, 'node_modules/commander'), join(app, 'commander-away')];
  await rename(there, away);
  try {
    return await use();
  } finally {
    await rename(away, there);
  }
}

// compilers and installers: slow on a busy machine
describe('the package', { timeout: 120_000 }, () => {
  it('holds what a user needs and nothing else', () => {
    const expected =
      /^package\/(dist\/[a-z0-9/-]+\.(js|d\.ts)|man\/zester\.1|package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md)$/;

    expect(packed.filter((path) => !expected.test(path))).toEqual([]);
    for (const name of ['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js', 'README.md', 'LICENSE']) {
      expect(packed).toContain(`package/${name}`);
    }
  });

  it('has a manifest that publint finds nothing wrong with', async () => {
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    const { messages } = await publint({
      strict: true,
      pack: { tarball: Uint8Array.from(await readFile(tarball)).buffer },
    });

    expect(messages.map((message) => formatMessage(message, manifest, { color: false }))).toEqual([]);
  });

  it('has types that every ESM resolver finds, at each entry point', async () => {
    const result = await checkPackage(createPackageFromTarballData(await readFile(tarball)));
    if (!result.types) throw new Error('the package has no types');

    expect(Object.keys(result.entrypoints)).toEqual(['.', './master', './peel', './package.json']);
    // the package is ESM only, and subpaths need `exports`: require() and the resolution of Node.js 10 are not supported
    const supported = result.problems.filter(
      (problem) =>
        !('resolutionKind' in problem && ['node10', 'node16-cjs'].includes(problem.resolutionKind)),
    );
    expect(supported).toEqual([]);
  });

  it('brings the packages that it needs to run and no others', async () => {
    const installed = (await readdir(join(app, 'node_modules'))).filter((name) => !name.startsWith('.'));

    expect(installed).toEqual(expect.arrayContaining(['zester', 'commander', '@nats-io']));
    expect(installed).not.toEqual(expect.arrayContaining(['vitest']));
    expect(installed).not.toEqual(expect.arrayContaining(['typescript']));
  });

  it('is imported as ESM, starts nothing, and does not load what only the command line needs', async () => {
    await writeFile(
      join(app, 'import.js'),
      `import { generateFullHierarchy, validateJwtChain } from 'zester';
       const { operatorJwt, accountJwt, userJwt } = generateFullHierarchy('o', 'a', 'u');
       validateJwtChain(operatorJwt, accountJwt, userJwt);
       console.log('imported');`,
    );
    // it also ends: nothing that the import started keeps it alive
    const { stdout } = await withoutCommander(() => run(process.execPath, ['import.js'], { cwd: app }));

    expect(stdout).toBe('imported\n');
  });

  it('type-checks in a strict program, without skipLibCheck', async () => {
    await compile(
      'strict',
      `import { CredsError, KeyBundle, generateKeyBundle, parseCredsData, type CredsErrorCode, type NatsOptions } from 'zester';
       const key: KeyBundle = generateKeyBundle('user');
       // @ts-expect-error there is no such role
       export const wrong = () => generateKeyBundle('admin');
       try {
         const options: NatsOptions = parseCredsData('nothing', 'test').natsOption();
         console.log(options.name, key.role);
       } catch (error) {
         if (!(error instanceof CredsError)) throw error;
         const code: CredsErrorCode = error.code;
         console.log(code);
       }`,
    );
    const { stdout } = await run(process.execPath, ['strict.js'], { cwd: app });

    expect(stdout).toBe('ERR_CREDS_NO_JWT\n');
  });

  it('has a command that runs', async () => {
    const zester = join(app, 'node_modules/.bin/zester');
    const out = join(app, 'user.seed');
    const { stdout } = await run(zester, ['keys', 'generate', 'user', '--out', out]);

    expect(stdout).toMatch(/^U[A-Z2-7]{55}\n$/);
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    await expect(run(zester, ['nonsense'])).rejects.toMatchObject({ code: 2 });
  });

  it('tells its version without loading anything', async () => {
    const { stdout } = await withoutCommander(() =>
      run(join(app, 'node_modules/.bin/zester'), ['--version']),
    );

    expect(stdout).toBe(`${packageVersion()}\n`);
  });

  it("runs the README's library example, word for word but for the server's address", async () => {
    const server = await startOperatorServer();
    const { account, operatorJwt } = server.trust;
    await account.key.saveSeedToFile(join(app, 'account.seed'));
    await writeFile(join(app, 'operator.jwt'), operatorJwt);
    await writeFile(join(app, 'account.jwt'), account.jwt);
    const listener = await server.connect(await server.user('listener'));
    const heard = new Promise<string>((resolve) => {
      listener.subscribe('zester.event.web-server-01.started', {
        callback: (_error, message) => resolve(message.string()),
      });
    });
    await listener.flush();

    const [, example] = /```ts\n(.*?)```/s.exec(await readFile(join(ROOT, 'README.md'), 'utf8')) ?? [];
    expect(example).toContain('nats://127.0.0.1:4222');
    await compile('readme', (example ?? '').replace('nats://127.0.0.1:4222', server.url));
    await run(process.execPath, ['readme.js'], { cwd: app });

    expect(await heard).toBe('hello');
  });
});
