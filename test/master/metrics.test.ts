import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { MasterMetrics } from '../../src/master/metrics.js';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFile(new URL(path, root), 'utf8');
const metrics = new MasterMetrics();

describe('each metric', () => {
  it('is explained in docs/fleet.md', async () => {
    const text = await read('docs/fleet.md');
    const explained = [...text.matchAll(/^\| `(zester_\w+)`/gm)].map(([, name]) => name);
    const names = metrics.registry.getMetricsAsArray().map(({ name }) => name);
    expect(explained.sort()).toEqual(names.sort());
  });

  it('is updated by some part of the master', async () => {
    const paths = await readdir(new URL('src/master/', root), { recursive: true });
    const files = paths.filter((path) => path.endsWith('.ts')).map((path) => read(`src/master/${path}`));
    const source = (await Promise.all(files)).join('\n');
    const names = Object.keys(metrics).filter((name) => name !== 'registry');
    const unused = names.filter((name) => !new RegExp(`\\b${name}\\.(inc|set|observe)\\(`).test(source));
    expect(unused).toEqual([]);
  });
});
