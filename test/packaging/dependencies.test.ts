import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

const json = async <T>(path: string) => JSON.parse(await readFile(path, 'utf8')) as T;

describe('the dependencies', () => {
  it('are all in docs/dependencies.md, and nothing else is', async () => {
    const manifest = await json<Record<string, Record<string, string>>>('package.json');
    const names = new Set(
      ['dependencies', 'peerDependencies', 'devDependencies'].flatMap((kind) =>
        Object.keys(manifest[kind] ?? {}),
      ),
    );
    const document = await readFile('docs/dependencies.md', 'utf8');
    const rows = [...document.matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name);
    expect(rows.toSorted()).toEqual([...names].sort());
  });

  it('run no install scripts, except for one development dependency', async () => {
    const { packages } = await json<{
      packages: Record<string, { hasInstallScript?: boolean; dev?: boolean }>;
    }>('package-lock.json');
    const scripted = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
    expect(scripted.map(([path, { dev }]) => [path, dev])).toEqual([['node_modules/esbuild', true]]);
  });

  it('come from the registry with a hash each', async () => {
    const { packages } = await json<{ packages: Record<string, { integrity?: string; link?: boolean }> }>(
      'package-lock.json',
    );
    const without = Object.entries(packages).filter(
      ([path, { integrity = '', link }]) => path !== '' && link !== true && !integrity.startsWith('sha512-'),
    );
    expect(without.map(([path]) => path)).toEqual([]);
  });
});
