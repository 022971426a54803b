import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { MasterEvent } from '../../../src/master/master-event.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { expectNoSeed, refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { BarePeel, createToken } from './asking.js';
import { startFleet } from './fleet.js';

it('a master emits its decisions to a callback from its start and to iterators, which end with it', async () => {
  const events: MasterEvent[] = [];
  const fleet = await startFleet({ policy: 'auto-trusted', onEvent: (event) => events.push(event) });
  expect(events.map(({ type }) => type).sort()).toEqual(['started', 'watching']);
  const iterated: MasterEvent[] = [];
  const iterating = (async () => {
    for await (const event of fleet.master.events()) iterated.push(event);
  })();
  const admin = await fleet.admin();
  const token = await createToken(admin, fleet);
  const key = generateKeyBundle('user');
  const peel = await BarePeel.connect(fleet, 'web-1', key, await token.joined('web-1', key));
  await fleet.record('web-1', ({ state }) => state === 'active');
  await peel.renew();
  await refusal('ERR_FLEET_ID_TAKEN', () => token.join('web-1', generateKeyBundle('user')));
  await admin.ask('peel.revoke', { peelId: 'web-1' }).catch(() => undefined);
  await waitFor('the confirmation', () => events.some(({ type }) => type === 'revocationConfirmed'));
  await fleet.master.stop();
  await iterating;
  const ofPeel = events
    .filter((event) => 'peelId' in event && event.peelId === 'web-1')
    .map(({ type }) => type);
  expect(ofPeel).toEqual([
    'joined',
    'accepted',
    'issued',
    'connected',
    'renewed',
    'refused',
    'revoked',
    'revocationConfirmed',
  ]);
  expect(iterated).toEqual(events.filter(({ type }) => type !== 'started').slice(-iterated.length));
  expect(events.at(-1)).toMatchObject({ type: 'watching', watching: false });
  expectNoSeed(events, key.seed);
});

it('a listener that throws stops nothing, and is reported as an event', async () => {
  const fleet = await startFleet({
    onEvent: () => {
      throw new Error('mine');
    },
    logger: {
      debug: () => undefined,
      info: () => Promise.reject(new Error('also mine')) as unknown as undefined,
      warn: () => undefined,
      error: () => undefined,
    },
  });
  const failed: string[] = [];
  const iterating = (async () => {
    for await (const event of fleet.master.events())
      if (event.type === 'callbackFailed') failed.push(event.callback);
  })();
  const admin = await fleet.admin();
  expect(await admin.ask('status', {})).toMatchObject({ master: fleet.master.id });
  expect(fleet.master.health().ok).toBe(true);
  await fleet.master.stop();
  await iterating;
});

it('a master adds its metrics to a registry of prom-client, and removes them when it stops', async () => {
  const registry = new Registry();
  const fleet = await startFleet({ metrics: registry });
  await (await fleet.admin()).ask('status', {});
  const text = await registry.metrics();
  expect(text).toContain('zester_master_requests_total{request="status",outcome="ok"} 1');
  expect(text).toContain('zester_master_watching 1');
  const clash = await refusal('ERR_FLEET_CONFIG', () => fleet.startMaster({ metrics: registry }));
  expect(clash.message).toContain('give each master its own');
  expect(await registry.metrics()).toContain('zester_master_watching 1');
  await fleet.master.stop();
  expect(await registry.metrics()).not.toContain('zester_');
});

it('a master adds its metrics to any object that accepts them', async () => {
  const taken: { get(): Promise<{ name: string }> }[] = [];
  await startFleet({ metrics: { registerMetric: (metric) => taken.push(metric) } });
  const names = await Promise.all(taken.map(async (metric) => (await metric.get()).name));
  expect(names).toContain('zester_peels_connected');
  await refusal('ERR_FLEET_CONFIG', () => startFleet({ metrics: {} as never }));
});
