import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { tempDir } from '../support/temp-dir.js';
import { compilePrograms, readPublicApi, type PublicApi } from './doc-examples.js';
import { publicEntries } from './public-entries.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let api: PublicApi;
let directory: string;
let compiled: ReturnType<typeof compilePrograms>;

beforeAll(async () => {
  api = readPublicApi(await publicEntries());
});

describe('the examples of doc comments', () => {
  beforeAll(async () => {
    directory = await project();
    const programs = await Promise.all(api.examples.map(({ name, code }) => write(name, code)));
    const runner = join(directory, 'run-examples.ts');
    await copyFile(new URL('children/run-examples.ts', import.meta.url), runner);
    compiled = compilePrograms([...programs, runner], join(directory, 'out'));
  });

  it('exist for every public function and class', () => {
    expect(api.examples.length).toBeGreaterThan(100);
    expect(api.missing, 'without an @example').toEqual([]);
  });

  it('call every public method', () => {
    expect(
      api.methods.filter((method) => !compiled.calls.has(method)),
      'called by no @example',
    ).toEqual([]);
  });

  it('compile with strict options against the built package', () => {
    expect(compiled.errors).toEqual([]);
  });

  it('run, and print the documented output', async () => {
    const [list, results] = [join(directory, 'examples.json'), join(directory, 'failures.json')];
    const runs = api.examples.map(({ name, prints }) => ({
      name,
      prints,
      module: join(directory, 'out', `${fileName(name)}.js`),
    }));
    await writeFile(list, JSON.stringify(runs));
    const { stderr } = await promisify(execFile)(
      process.execPath,
      [join(directory, 'out', 'run-examples.js'), list, results],
      { cwd: directory, timeout: 150_000 },
    );
    process.stderr.write(stderr);
    expect(JSON.parse(await readFile(results, 'utf8'))).toEqual([]);
  }, 180_000);
});

const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');

const PAGES = ['agent', 'provisioning-service', 'master', 'admin-client'];

describe('the pages of docs/library', () => {
  it('match the pages of the reference', async () => {
    const pages = PAGES.map((name) => `docs/library/${name}.md`);
    const files = (await readdir(join(ROOT, 'docs/library'))).filter((name) => name !== 'README.md');
    expect(files.map((name) => `docs/library/${name}`).sort()).toEqual([...pages].sort());
    const { projectDocuments } = JSON.parse(await read('typedoc.json')) as { projectDocuments: string[] };
    expect(projectDocuments).toEqual(expect.arrayContaining(pages));
  });

  it('show programs of examples/, or examples of doc comments, word for word', async () => {
    const tested = new Set(api.examples.map(({ code }) => `${code}\n`));
    for (const name of PAGES) {
      const text = await read(`docs/library/${name}.md`);
      const programs = [...text.matchAll(/\(\.\.\/\.\.\/(examples\/[\w-]+\.ts)\):\n\n```ts\n([^]*?)```\n/g)];
      expect(programs.length, name).toBeGreaterThan(0);
      for (const [, path = '', code] of programs) {
        expect(code, `${path} in ${name}.md`).toBe(await read(path));
        tested.add(code ?? '');
      }
      for (const [, code] of text.matchAll(/```ts\n([^]*?)```\n/g))
        expect(tested.has(code ?? ''), `in ${name}.md:\n${code}`).toBe(true);
    }
  });
});

/** A project with the package installed, like a user's. */
async function project(): Promise<string> {
  const path = await tempDir();
  await writeFile(join(path, 'package.json'), '{"type":"module"}');
  await mkdir(join(path, 'node_modules'));
  await symlink(ROOT, join(path, 'node_modules/zester'));
  for (const name of ['@nats-io', '@types'])
    await symlink(join(ROOT, 'node_modules', name), join(path, 'node_modules', name));
  return path;
}

async function write(name: string, code: string): Promise<string> {
  const path = join(directory, `${fileName(name)}.ts`);
  await writeFile(path, `${code}\nexport {};\n`);
  return path;
}

function fileName(name: string): string {
  return name.replaceAll(/[/ ]/g, '.');
}
