import { Registry } from 'prom-client';
import type { MasterOptions, MetricsRegistry, PolicyFunction } from 'zester/master';

// as programs write them
export const policies: NonNullable<MasterOptions['policy']>[] = [
  'manual',
  () => 'accept',
  async ({ peelId }) => {
    await Promise.resolve();
    return peelId.startsWith('web-') ? 'accept' : 'pending';
  },
  async ({ peelId, token }, { signal }) => {
    if (token === undefined) return 'reject';
    const { ok } = await fetch(`https://inventory.example/${peelId}`, { signal });
    return ok ? 'accept' : 'pending';
  },
];
// @ts-expect-error not a decision
export const wrong: PolicyFunction = async () => 'yes';
// @ts-expect-error no policy has this name
export const misspelled: MasterOptions['policy'] = 'auto-trsuted';

// a registry of prom-client, and one of one's own
export const registries: MetricsRegistry[] = [new Registry(), { registerMetric: ({ get }) => void get }];
