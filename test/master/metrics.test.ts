import { readFile } from 'node:fs/promises';
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
});
