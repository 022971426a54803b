import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  Gauge,
  Histogram,
  type Metric,
  type MetricObjectWithValues,
  type MetricValueWithName,
} from 'prom-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { setAuditRetention } from '../../../src/account/audit-retention.js';
import { RetentionWatch } from '../../../src/master/audit/retention-watch.js';
import { contextOf } from '../../../src/master/context-of.js';
import { serveMasterHttp } from '../../../src/master/http.js';
import type { MasterMetrics } from '../../../src/master/metrics.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { recoverCredentials } from '../../../src/peel/recover.js';
import { authSubject } from '../../../src/permissions/names.js';
import { newRequestId, type AdminClient } from '../../../src/protocol/admin-client.js';
import { TestClock } from '../../../src/testing/clock.js';
import { atEnd } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import { addPeel, connectUser, createToken } from './asking.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds } from './peels.js';

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

type MetricName = Exclude<keyof MasterMetrics, 'registry' | 'endWatching'>;

/**
 * A series of each metric that is above 0 after what happens to the fleet below, or the test that needs a fault of its
 * own to see it there. A new metric needs its row to compile.
 */
const MOVED: Record<MetricName, string | { by: string }> = {
  requests: 'zester_master_requests_total{request="peel.add",outcome="ok"}',
  ignoredRequests: 'zester_master_requests_ignored_total',
  floods: 'zester_master_floods_total{outcome=*}',
  requestSeconds: 'zester_master_request_seconds_count{request="peel.add"}',
  issued: 'zester_master_jwts_issued_total{why="recover"}',
  recoveries: 'zester_master_recoveries_total{outcome="recovered"}',
  refusedConnections: 'zester_master_connections_refused_total{code="ERR_FLEET_ID_TAKEN"}',
  peels: 'zester_peels{state="active"}',
  connected: 'zester_peels_connected',
  expiring: 'zester_peels_expiring{within="1h"}',
  expired: 'zester_peels_expired',
  overdue: 'zester_peels_overdue',
  earliestExpiry: 'zester_peels_earliest_expiry_timestamp_seconds',
  unconfirmedRevocations: { by: 'alerts.test.ts' },
  storageBytes: 'zester_jetstream_storage_bytes{server=*}',
  storageLimitBytes: 'zester_jetstream_storage_limit_bytes{server=*}',
  homeExpiry: 'zester_master_expiry_timestamp_seconds{of="master_creds"}',
  trimmedEvents: 'zester_audit_trimmed_events_total',
  heldRevocations: { by: 'breaker.test.ts' },
  watching: 'zester_master_watching',
  waitingConnections: { by: 'metrics.test.ts' },
  readingSeconds: 'zester_master_connections_read_seconds',
  ownCredentialsExpiry: 'zester_master_credentials_expiry_timestamp_seconds',
  revocationSeconds: 'zester_master_revocation_seconds_count',
};

it('each metric of a master moves with what it measures', async () => {
  const startedAt = performance.now();
  const set = vi.spyOn(Gauge.prototype, 'set');
  onTestFinished(() => set.mockRestore());
  const clock = new TestClock();
  const fleet = await startFleet({ policy: 'auto-trusted', now: clock.now });
  const admin = await fleet.admin();
  const context = contextOf(fleet.master);
  const waiting = vi.spyOn(context.metrics.waitingConnections, 'set');
  onTestFinished(() => waiting.mockRestore());

  await addPeel(fleet, admin, 'web-1', { expiry: 1_000 });
  const credsPath = await addCreds(fleet, admin, 'web-2', { expiry: 300 });
  await addCreds(fleet, admin, 'web-3', { expiry: 500 });
  // "zester_master_connections_waiting" is above 0 for an instant
  await waitFor('a connection that waits', () => waiting.mock.calls.some(([count]) => Number(count) > 0));
  clock.advance(920_000);
  await recoverCredentials({
    servers: fleet.servers,
    waitMs: 20_000,
    credsPath,
    credentials: undefined,
    now: clock.now,
  });
  // a second credential of the same peel, which no master issued
  const { path } = await fleet.home.issue('web-1', 3_600);
  await (
    await fleet.home.peel('web-1', path)
  ).cut;
  await addPeel(fleet, admin, 'web-4');
  await admin.ask('peel.revoke', { peelId: 'web-4' });
  const { bytes } = (await context.store.jsm.streams.info('zester-audit')).state;
  const retention = new RetentionWatch(context);
  await retention.check();
  await setAuditRetention(fleet.home.home, { maxBytes: bytes - 1 }, fleet.home.options);
  await retention.check();
  await retention.stop();
  const all = await connectUser(fleet, 'tool', undefined);

  let still: string[] = [];
  const left = async () => {
    for (let i = 0; i < 500; i += 1) all.publish(authSubject('web-1', 'renew'), 'x');
    await all.flush();
    const lines = (await fleet.master.metricsText()).split('\n');
    still = Object.values(MOVED).filter((series): series is string => {
      if (typeof series !== 'string') return false;
      const [start = ''] = series.split('*');
      return !lines.some((line) => line.startsWith(start) && /[1-9]|Inf/.test(line.split(' ').at(-1) ?? ''));
    });
    return still.length === 0;
  };
  await waitFor('all metrics to move', left, 20_000).catch(() => undefined);
  expect(still).toEqual([]);

  // a fleet has too many peels and keys for a label
  expect(await fleet.master.metricsText()).not.toMatch(/="(web-\d|[UAO][A-Z2-7]{55})/);

  // durations in another unit than seconds would add up to more than the test took
  const elapsed = (performance.now() - startedAt) / 1000;
  for (const key of Object.keys(MOVED) as MetricName[]) {
    const metric: Metric = context.metrics[key];
    const { name, values } = (await metric.get()) as MetricObjectWithValues<MetricValueWithName<string>>;
    if (!name.endsWith('_seconds') || name.endsWith('_timestamp_seconds')) continue;
    const took =
      metric instanceof Histogram
        ? values.filter(({ metricName }) => metricName === `${name}_sum`).map(({ value }) => value)
        : set.mock.calls.filter((_, i) => set.mock.contexts[i] === metric).map((args) => Number(args.at(-1)));
    const sum = took.reduce((total, one) => total + one, 0);
    expect(sum, name).toBeGreaterThan(0);
    expect(sum, name).toBeLessThan(elapsed);
  }

  for (const [name, series] of Object.entries(MOVED)) {
    const known = await context.metrics[name as MetricName].get();
    if (typeof series === 'string') expect(series.startsWith(known.name), series).toBe(true);
    else expect(await readFile(new URL(series.by, import.meta.url), 'utf8')).toContain(known.name);
  }
});

type Repeatable = 'peel.add' | 'join' | 'renew' | 'rotate';

/** Requests that are repeated when the answer was lost. Each prepares one, and returns the function that sends it. */
const REPEATABLE: Record<Repeatable, (fleet: Fleet, admin: AdminClient) => Promise<() => Promise<object>>> = {
  'peel.add': async (_fleet, admin) => {
    const { publicKey } = generateKeyBundle('user');
    const request = { requestId: newRequestId(), peelId: 'added', publicKey };
    return () => admin.ask('peel.add', request);
  },
  join: async (fleet, admin) => {
    const token = await createToken(admin, fleet);
    const key = generateKeyBundle('user');
    const request = token.joinRequest('joined', key, await token.challenge('joined', key));
    return () => token.send(request);
  },
  renew: async (fleet, admin) => {
    const peel = await addPeel(fleet, admin, 'renewed');
    const requestId = newRequestId();
    return () => peel.renew(requestId);
  },
  rotate: async (fleet, admin) => {
    const peel = await addPeel(fleet, admin, 'rotated');
    const request = peel.rotateRequest(generateKeyBundle('user'));
    return () => peel.rotate(request);
  },
};

describe('a request that is repeated after its answer was lost', () => {
  it.each(Object.entries(REPEATABLE))('%s: increments only the request counter', async (_name, prepare) => {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    const send = await prepare(fleet, await fleet.admin());
    // as text: the values that the metrics return are their own
    const counters = async () =>
      (await fleet.master.metricsText())
        .split('\n')
        .filter(
          (line) => /^zester_\w+_total\b/.test(line) && !line.startsWith('zester_master_requests_total'),
        );

    const unsent = await counters();
    const first = await send();
    const before = await counters();
    expect(before).not.toEqual(unsent);
    expect(await send()).toMatchObject({ jwt: Reflect.get(first, 'jwt') as string });
    expect(await counters()).toEqual(before);
  });
});
