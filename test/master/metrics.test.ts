import { readFile } from 'node:fs/promises';
import { Counter, Histogram } from 'prom-client';
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

  it('has the name of its kind: counters end in _total, histograms in their unit', () => {
    for (const metric of metrics.registry.getMetricsAsArray()) {
      const { name } = metric;
      expect(name.endsWith('_total'), name).toBe((metric as unknown) instanceof Counter);
      if ((metric as unknown) instanceof Histogram) expect(name).toMatch(/_(seconds|bytes)$/);
      // any other unit of time or size would have to be converted in each query
      expect(name).not.toMatch(/_(ms|millis|milliseconds|minutes|duration|kb|mb|kib|mib)$/);
    }
  });
});
