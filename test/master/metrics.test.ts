import { readFile } from 'node:fs/promises';
import { Counter, Gauge, Histogram } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { MasterMetrics, measurePeels } from '../../src/master/metrics.js';

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

/** Gauges that every master sets for as long as it runs, as it checks its own credentials. */
const OF_ANY_MASTER = [
  'zester_master_expiry_timestamp_seconds',
  'zester_master_credentials_expiry_timestamp_seconds',
];

it('each gauge falls: it is computed when it is read, or cleared on a master that no longer watches', async () => {
  const own = new MasterMetrics();
  measurePeels({ metrics: own } as Parameters<typeof measurePeels>[0]);
  const gauges = own.registry
    .getMetricsAsArray()
    .filter((metric) => (metric as unknown) instanceof Gauge) as unknown as (Gauge & { collect?: unknown })[];
  const left = gauges.filter((gauge) => gauge.collect === undefined);
  for (const gauge of left) {
    const { labelNames } = gauge as unknown as { labelNames: string[] };
    gauge.set(Object.fromEntries(labelNames.map((label) => [label, 'x'])), 7);
  }
  own.endWatching();
  const above: string[] = [];
  for (const gauge of left) {
    const { name, values } = await gauge.get();
    if (values.some(({ value }) => value !== 0)) above.push(name);
  }
  expect(left.length).toBeGreaterThan(5);
  expect(above.sort()).toEqual([...OF_ANY_MASTER].sort());
});
