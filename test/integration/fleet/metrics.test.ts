import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { serveMasterHttp } from '../../../src/master/http.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { TestClock } from '../../../src/testing/clock.js';
import { atEnd } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import { addPeel, createToken } from './asking.js';
import { startFleet } from './fleet.js';

it('/metrics has the metrics of alerts and dashboards, with correct values', async () => {
  const clock = new TestClock();
  const fleet = await startFleet({ policy: 'manual', lifetimeSeconds: 3_000, now: clock.now });
  const admin = await fleet.admin();
  const { url, close } = await serveMasterHttp(fleet.master, { host: '127.0.0.1', port: 0 });
  atEnd(close);
  const metrics = async () => (await fetch(`${url}/metrics`)).text();
  const value = async (series: string) => {
    const line = (await metrics()).split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1).replace('Inf', 'Infinity'));
  };

  await addPeel(fleet, admin, 'web-1', { expiry: 1_000 });
  await (await createToken(admin, fleet)).join('new-1', generateKeyBundle('user'));
  await waitFor('a pending peel', async () => (await value('zester_peels{state="pending"}')) === 1);
  await waitFor('a connected peel', async () => (await value('zester_peels_connected')) === 1);
  expect(await value('zester_peels_expiring{within="1h"}')).toBe(1);
  expect(await value('zester_peels_overdue')).toBe(0);
  expect(await value('zester_revocations_unconfirmed')).toBe(0);
  expect(await value('zester_master_watching')).toBe(1);
  expect(await value('zester_master_expiry_timestamp_seconds{of="account_jwt"}')).toBe(Infinity);
  await waitFor('the storage', async () => /zester_jetstream_storage_bytes\{server=/.test(await metrics()));

  const text = await metrics();
  const files = (await readdir('packaging/grafana')).map((name) => join('packaging/grafana', name));
  for (const file of [...files, 'packaging/prometheus/alerts.yml']) {
    const queried = (await readFile(file, 'utf8')).matchAll(/\bzester_[a-z_]+/g);
    for (const [name] of queried) {
      const plain = name.replace(/_(bucket|sum|count)$/, '');
      expect(text, `${plain} of ${file}`).toMatch(new RegExp(`^# TYPE ${plain} `, 'm'));
    }
  }
  const { error, status, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  // 3: it would name something otherwise, such as a histogram without a unit it knows
  if (error === undefined) expect([0, 3], stderr).toContain(status);

  clock.advance(920_000);
  await waitFor('a peel that has not renewed', async () => (await value('zester_peels_overdue')) === 1);
  expect(await value('zester_peels_earliest_expiry_timestamp_seconds')).toBeGreaterThan(0);
});
