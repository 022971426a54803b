import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { build as esbuild } from 'esbuild';
import { publint } from 'publint';
import { rolldown } from 'rolldown';
import { formatMessage } from 'publint/utils';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageVersion } from '../../src/protocol/package-version.js';
import { startOperatorServer } from '../support/operator-server.js';
import { tempDir } from '../support/temp-dir.js';
import { isBuilt } from '../support/zester-command.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The published files, once the package is built. */
const PUBLISHED = ['dist', 'man', 'package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'];
/** Without a build, the package is built only from these: the checkout's own `dist` is left unchanged. */
const SOURCES = [
  'src',
  'scripts',
  'man',
  'package.json',
  'package-lock.json',
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
/** The oldest and the newest supported compiler: what both accept, the ones between them accept. */
const COMPILERS = { 'TypeScript 5.9': 'typescript@5.9.3', 'TypeScript 7': 'typescript@7.0.2' };
/** For V8: a compiler needs a third less of the processor if it collects garbage less often and optimizes later. */
const COMPILER_MEMORY = ['--max-semi-space-size=128', '--interrupt-budget=660000'];
/** The folder that has them. */
let compilers: string;

beforeAll(async () => {
  const dir = await tempDir();
  const source = join(dir, 'src'); // a name that the build must not mistake for one of its own folders
  await mkdir(source);
  // what a bench leaves in dist is not published
  const filter = (path: string) => !path.endsWith('/dist/.bench');
  for (const name of isBuilt ? PUBLISHED : SOURCES)
    await cp(join(ROOT, name), join(source, name), { recursive: true, filter });
  await symlink(join(ROOT, 'node_modules'), join(source, 'node_modules'));
  const build = isBuilt ? ['--ignore-scripts'] : [];
  await run('npm', ['pack', ...build, '--pack-destination', dir], { cwd: source });
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
  compilers = join(dir, 'compilers');
  await mkdir(compilers);
  await writeFile(join(compilers, 'package.json'), '{ "private": true }');
  const packages = Object.values(COMPILERS).map((name) => `${aliasOf(name)}@npm:${name}`);
  await run('npm', ['install', ...quiet, ...packages], { cwd: compilers });
}, 240_000);

function aliasOf(compiler: string): string {
  return compiler.replace(/\W/g, '-');
}

/** The script with which Node.js runs a compiler. */
function compilerOf(name: keyof typeof COMPILERS): string {
  return join(compilers, 'node_modules', aliasOf(COMPILERS[name]), 'bin/tsc');
}

/** Whether a package was installed because of ours, not because of the app. */
function isOurs(name: string): boolean {
  return name !== '@types/node' && name !== 'undici-types';
}

/** Bytes of all files of a folder. */
async function sizeOf(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = files.map(async (file) =>
    file.isFile() ? (await stat(join(file.parentPath, file.name))).size : 0,
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/**
 * Type-checks and compiles a program of the app strictly, including the types of all packages, with the fastest
 * compiler. (Not with `exactOptionalPropertyTypes`: the types of @nats-io/nats-core do not compile with it.)
 */
async function compile(name: string, source: string): Promise<void> {
  await writeFile(join(app, `${name}.ts`), source);
  const strict = ['--strict', '--noUncheckedIndexedAccess', '--skipLibCheck', 'false'];
  const target = ['--target', 'es2022', '--lib', 'es2022', '--module', 'nodenext', '--types', 'node'];
  const args = [compilerOf('TypeScript 7'), ...strict, ...target, `${name}.ts`];
  await run(process.execPath, args, { cwd: app }).catch((error: { stdout: string }) => {
    throw new Error(`it does not compile:\n${error.stdout}`);
  });
}

// compilers and installers: slow on a busy machine
describe('the package', { timeout: 120_000 }, () => {
  it('contains only the files that a user needs', () => {
    const expected =
      /^package\/(dist\/[a-z0-9/-]+\.(js|d\.ts)|dist\/cli\/chunks\/[\w.-]+\.js|dist\/cli\/package\.json|dist\/ui\/(index\.html|app\.(js|css)|icon\.svg)|dist\/third-party-licenses\.txt|dist\/sbom\.cdx\.json|man\/zester\.1|package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md)$/;

    expect(packed.filter((path) => !expected.test(path))).toEqual([]);
    for (const name of ['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js', 'README.md', 'LICENSE']) {
      expect(packed).toContain(`package/${name}`);
    }
  });

  it('has a bill of materials with everything that it installs or bundles, and where each comes from', async () => {
    const text = (await run('tar', ['-xzOf', tarball, 'package/dist/sbom.cdx.json'])).stdout;
    const { bomFormat, components } = JSON.parse(text) as {
      bomFormat: string;
      components: { purl: string; hashes?: { content: string }[]; licenses: object[] }[];
    };
    expect(bomFormat).toBe('CycloneDX');
    const licences = (await run('tar', ['-xzOf', tarball, 'package/dist/third-party-licenses.txt'])).stdout;
    const bundled = [...licences.matchAll(/^(\S+) (\d+\.\d+\.\d+\S*) \(/gm)].map(
      ([, name = '', version = '']) => `pkg:npm/${name.replace('@', '%40')}@${version}`,
    );
    const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const purls = components.map(({ purl }) => purl);
    expect(bundled.length).toBeGreaterThan(10);
    expect(bundled.filter((purl) => !purls.includes(purl))).toEqual([]);
    for (const name of Object.keys(dependencies))
      expect(
        purls.some((purl) => purl.startsWith(`pkg:npm/${name.replace('@', '%40')}@`)),
        name,
      ).toBe(true);
    expect(components.filter(({ hashes = [] }) => !/^[0-9a-f]{128}$/.test(hashes[0]?.content ?? ''))).toEqual(
      [],
    );
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

    expect(Object.keys(result.entrypoints)).toEqual([
      '.',
      './master',
      './peel',
      './testing',
      './package.json',
    ]);
    // the package is ESM only, and subpaths need `exports`: require() and the resolution of Node.js 10 are not supported
    const supported = result.problems.filter(
      (problem) =>
        !('resolutionKind' in problem && ['node10', 'node16-cjs'].includes(problem.resolutionKind)),
    );
    expect(supported).toEqual([]);
  });

  // "at most 12 packages and 8 MB": what only the command needs is bundled
  it('brings few packages, and none that only the command or development needs', async () => {
    const { stdout } = await run('npm', ['ls', '--all', '--parseable', '--omit=dev'], { cwd: app });
    const installed = stdout.trim().split('\n').slice(1);
    const names = installed.map((path) => path.split('node_modules/').at(-1) ?? '').filter(isOurs);

    expect(names).toEqual(expect.arrayContaining(['zester', '@nats-io/nats-core', 'valibot']));
    expect(names.length).toBeLessThanOrEqual(12);
    for (const name of ['commander', 'pino', 'prom-client', 'yaml', 'vitest', 'typescript'])
      expect(names).not.toContain(name);
    const sizes = await Promise.all(names.map((name) => sizeOf(join(app, 'node_modules', name))));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(8_000_000);
  });

  it('names the packages that are bundled, with their licences', async () => {
    const text = await readFile(join(app, 'node_modules/zester/dist/third-party-licenses.txt'), 'utf8');

    for (const name of ['commander', 'pino', 'prom-client', 'age-encryption', 'tar-stream', 'yaml'])
      expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'));
  });

  it('is imported as ESM, and starts nothing', async () => {
    await writeFile(
      join(app, 'import.js'),
      `import { generateFullHierarchy, validateJwtChain } from 'zester';
       import { startMaster } from 'zester/master';
       import { startPeel } from 'zester/peel';
       const { operatorJwt, accountJwt, userJwt } = generateFullHierarchy('o', 'a', 'u');
       validateJwtChain(operatorJwt, accountJwt, userJwt);
       console.log(typeof startMaster, typeof startPeel);`,
    );
    // it also exits: the import keeps nothing alive
    const { stdout } = await run(process.execPath, ['import.js'], { cwd: app });

    expect(stdout).toBe('function function\n');
  });

  it('gives require() the same as import, if Node.js has require(esm)', async ({ skip }) => {
    if (process.features.require_module !== true) return skip('this Node.js has no require(esm)');
    const program = `for (const path of ['zester', 'zester/peel', 'zester/master', 'zester/testing']) console.log(Object.keys(require(path)).length > 0)`;
    const { stdout } = await run(process.execPath, ['--input-type=commonjs', '-e', program], { cwd: app });

    expect(stdout).toBe('true\ntrue\ntrue\ntrue\n');
  });

  // the size limit of the bundle; it contains only what reading a credential needs
  it.each(['rolldown', 'esbuild'])(
    'lets %s drop unused code: a program that loads credentials has at most 35 KB',
    async (by) => {
      const entry = join(app, 'load.js');
      await writeFile(
        entry,
        `import { loadCredsFile } from 'zester'; console.log(await loadCredsFile('x'));`,
      );
      let code: string;
      if (by === 'rolldown') {
        const bundle = await rolldown({ input: entry, platform: 'node' });
        const { output } = await bundle.generate({ format: 'esm', minify: true });
        code = output.map((file) => (file.type === 'chunk' ? file.code : '')).join('');
      } else {
        const options = {
          bundle: true,
          minify: true,
          platform: 'node',
          format: 'esm',
          write: false,
        } as const;
        code = (await esbuild({ entryPoints: [entry], ...options })).outputFiles
          .map(({ text }) => text)
          .join('');
      }

      expect(code).toContain('ERR_CREDS_NO_SEED');
      expect(code).not.toContain('@nats-io');
      expect(code.length).toBeLessThanOrEqual(35_000);
    },
  );

  it.each(['esbuild to ESM', 'esbuild to CommonJS', 'rolldown'])(
    'issues in bulk in a program bundled by %s',
    async (by) => {
      await writeFile(
        join(app, 'bulk.js'),
        `import { generateKeyBundle, issuePeelCredentials } from 'zester';
       const ids = Array.from({ length: 600 }, (_, i) => 'web-' + i);
       const issued = [];
       async function main() {
         const credentials = issuePeelCredentials(ids, { signer: generateKeyBundle('account'), workers: 2 });
         for await (const { peelId, content } of credentials) issued.push(peelId + content.length);
         console.log(issued.length, new Set(issued).size);
       }
       main();`,
      );
      // a foreign file, which must not be started as a thread and given a seed
      const place = join(app, 'bundled');
      await mkdir(place, { recursive: true });
      await writeFile(join(place, 'worker.js'), `console.log('started');`);
      const file = join(place, by === 'esbuild to CommonJS' ? 'bulk.cjs' : 'bulk.mjs');
      if (by === 'rolldown') {
        const bundle = await rolldown({ input: join(app, 'bulk.js'), platform: 'node' });
        await bundle.write({ file, format: 'esm', codeSplitting: false });
      } else {
        await esbuild({
          entryPoints: [join(app, 'bulk.js')],
          bundle: true,
          platform: 'node',
          format: by === 'esbuild to ESM' ? 'esm' : 'cjs',
          outfile: file,
          logLevel: 'error',
          // esbuild's output for CommonJS packages needs it
          ...(by === 'esbuild to ESM' && {
            banner: {
              js: `import{createRequire}from'node:module';const require=createRequire(import.meta.url);`,
            },
          }),
        });
      }
      const { stdout } = await run(process.execPath, [file], { cwd: place });

      expect(stdout).toBe('600 600\n');
    },
  );

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

  describe('has types that hold with every strict option, without skipLibCheck,', () => {
    /** Programs of each kind, with all entry points. */
    const PROGRAM = `
      import * as zester from 'zester';
      import * as master from 'zester/master';
      import * as peel from 'zester/peel';
      import * as testing from 'zester/testing';
      const provider: zester.CredentialProvider = {
        name: undefined,
        load: async ({ signal }) => String(signal.aborted),
        store: undefined,
      };
      // undefined is the same as omitted
      const options: zester.ConnectPeelOptions = {
        servers: undefined, credentials: provider, peelId: 'web-01', timeout: undefined, logger: undefined, pingInterval: undefined,
      };
      export async function run(account: zester.KeyBundle): Promise<void> {
        await using nc = { [Symbol.asyncDispose]: () => Promise.resolve(), connection: await zester.connectPeel(options) };
        console.log(nc.connection.buffered.bytes);
        await zester.bootstrapPeelCreds(account, 'web-01', 'path', {
          expiry: undefined,
          permissions: { extend: zester.kvRead({ bucket: 'config', keys: 'web-01.>' }) },
        });
        const agent: peel.Peel = await peel.startPeel({ credentials: provider, renew: undefined });
        await agent.drain();
        const fleet: zester.Fleet = await zester.connectFleet({ credentials: provider, signal: undefined });
        for await (const { record } of fleet.peels.list()) console.log(record.id);
        const { problems }: master.MasterHealth = (await master.startMaster({ home: 'x', credentials: undefined })).health();
        console.log(problems, testing);
      }`;
    beforeAll(() => writeFile(join(app, 'all.ts'), PROGRAM));

    it.each(Object.keys(COMPILERS) as (keyof typeof COMPILERS)[])(
      'with %s: all errors are those of the client',
      async (name) => {
        const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'];
        const more = ['--noPropertyAccessFromIndexSignature', '--skipLibCheck', 'false', '--noEmit'];
        const target = ['--target', 'es2022', '--lib', 'es2022', '--module', 'nodenext', '--types', 'node'];
        const { stdout } = await run(
          process.execPath,
          [...COMPILER_MEMORY, compilerOf(name), ...strict, ...more, ...target, 'all.ts'],
          {
            cwd: app,
          },
        ).catch((error: { stdout: string }) => error);
        const errors = stdout.split('\n').filter((line) => /^\S.*\berror TS\d/.test(line));

        expect(errors.filter((line) => !line.startsWith('node_modules/@nats-io/'))).toEqual([]);
        // docs/library.md names them: with a client whose types are right, it can say so
        expect(errors.map((line) => /^[^(]*/.exec(line)?.[0])).toEqual([
          'node_modules/@nats-io/nats-core/lib/msg.d.ts',
          'node_modules/@nats-io/nats-core/lib/nats.d.ts',
        ]);
      },
      240_000,
    );
  });

  it('has a command that runs', async () => {
    const zester = join(app, 'node_modules/.bin/zester');
    const out = join(app, 'user.seed');
    const { stdout } = await run(zester, ['keys', 'generate', 'user', '--out', out]);

    expect(stdout).toMatch(/^U[A-Z2-7]{55}\n$/);
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    await expect(run(zester, ['nonsense'])).rejects.toMatchObject({ code: 2 });
  });

  it('knows its own version, without its package.json', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };

    expect(packageVersion()).toBe(version);
  });

  it('has a command that prints its version', async () => {
    const { stdout } = await run(join(app, 'node_modules/.bin/zester'), ['--version']);

    expect(stdout).toBe(`${packageVersion()}\n`);
  });

  it('has a command that reports its Ed25519 backend: node:crypto, since no other is installed', async () => {
    const env = { ...process.env };
    delete env['ZESTER_ED25519'];
    const zester = (more: NodeJS.ProcessEnv) =>
      run(join(app, 'node_modules/.bin/zester'), ['--version', '--json'], { env: { ...env, ...more } });

    expect(JSON.parse((await zester({})).stdout)).toMatchObject({
      version: packageVersion(),
      ed25519: { backend: 'node:crypto', seeds: 'plain', why: 'sodium-native is not installed' },
    });
    const forced = zester({ ZESTER_ED25519: 'sodium' });
    await expect(forced).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ERR_KEY_BACKEND') as string,
    });
  });

  // each of these loads packages that are bundled, threads, or files that are found by their places
  it('has a command that makes a home and credentials in each form', async () => {
    const env = { ...process.env, ZESTER_HOME: join(app, 'home'), XDG_CONFIG_HOME: join(app, 'config') };
    const zester = (...args: string[]) => run(join(app, 'node_modules/.bin/zester'), args, { cwd: app, env });
    await mkdir(join(app, 'config/zester'), { recursive: true });
    await writeFile(join(app, 'config/zester/config.yaml'), 'expiry: 2h\n');
    await writeFile(join(app, 'ids.txt'), Array.from({ length: 600 }, (_, i) => `web-${i}`).join('\n'));
    await zester('init', '--operator', 'acme', '--account', 'fleet');

    await zester('creds', 'bootstrap', 'web-1', '--out', 'web-1.creds');
    const shown = JSON.parse((await zester('creds', 'inspect', 'web-1.creds', '--json')).stdout) as {
      name: string;
    };
    expect(shown.name).toBe('web-1');
    await zester('creds', 'issue', '--from', 'ids.txt', '--out', 'many');
    expect(await readdir(join(app, 'many'))).toHaveLength(600);
    await zester('creds', 'issue', '--from', 'ids.txt', '--sink', 'tar', '--out', 'many.tar');
    expect((await run('tar', ['-tf', 'many.tar'], { cwd: app })).stdout.trim().split('\n')).toHaveLength(600);
    const help = (await zester('--help')).stdout;
    expect(help).toContain('expirations');
  });

  it("runs the README's library example, word for word but for the server's address", async () => {
    const server = await startOperatorServer();
    const { account, operatorJwt } = server.trust;
    await account.key.saveSeedToFile(join(app, 'account.seed'));
    await writeFile(join(app, 'operator.jwt'), operatorJwt);
    await writeFile(join(app, 'account.jwt'), account.jwt);
    const listener = await server.connect(await server.user('listener'));
    const event = new Promise<string>((resolve) => {
      listener.subscribe('zester.event.web-server-01.started', {
        callback: (_error, message) => resolve(message.string()),
      });
    });
    await listener.flush();

    const [, example] = /```ts\n(.*?)```/s.exec(await readFile(join(ROOT, 'README.md'), 'utf8')) ?? [];
    expect(example).toContain('nats://127.0.0.1:4222');
    await compile('readme', (example ?? '').replace('nats://127.0.0.1:4222', server.url));
    await run(process.execPath, ['readme.js'], { cwd: app });

    expect(await event).toBe('hello');
  });
});
