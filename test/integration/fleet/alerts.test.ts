import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { setAuditRetention } from '../../../src/account/audit-retention.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { RetentionWatch } from '../../../src/master/audit/retention-watch.js';
import { contextOf } from '../../../src/master/context-of.js';
import { serveMasterHttp } from '../../../src/master/http.js';
import type { Master } from '../../../src/master/master.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { recoverCredentials } from '../../../src/peel/recover.js';
import { recoveryPath } from '../../../src/peel/recovery-files.js';
import { authSubject } from '../../../src/permissions/names.js';
import { TestClock } from '../../../src/testing/clock.js';
import { trustPaths } from '../../../src/trust/paths.js';
import { readSettings, writeSettings } from '../../../src/trust/settings.js';
import { zester } from '../../cli/run-zester.js';
import { createTlsFiles } from '../../support/certificates.js';
import { atEnd } from '../../support/cleanup.js';
import { noCluster } from '../../support/nats-servers.js';
import { hasSeries, scrape, seriesOf, type Scrape } from '../../support/scrape.js';
import { hasProgram } from '../../support/has-program.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { startHome } from '../trust/support.js';
import { addPeel, connectUser, createToken } from './asking.js';
import { Fleet, startFleet, startFleetCluster } from './fleet.js';
import { addCreds } from './peels.js';

const ALERTS = 'packaging/prometheus/alerts.yml';
interface Rule {
  alert: string;
  expr: string;
  for: string;
}
const { groups } = parse(await readFile(ALERTS, 'utf8')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

/**
 * Conditions that cannot be caused within seconds: thousands of connections at once, wrong server reports, JWTs of
 * years.
 */
const NOT_PROVOKED = [
  'ZesterMasterOverloaded',
  'ZesterRevocationsHeld',
  'ZesterTrustJwtExpires',
  ...(noCluster ? ['ZesterRevocationUnconfirmed'] : []),
];

const hasPromtool = hasProgram('promtool');
const skipped = hasPromtool ? '' : ' (skipped: apt-get install prometheus for promtool)';

const provoked = new Set<string>();
const scrapes: Scrape[] = [];

/** Minutes of the healthy fleet, before the fault. */
const CHANGE_AT = 61;
/** Longer than any alert waits. */
const LATER = 63;

/**
 * Asserts that these alerts, and no others, fire within an hour once the scraped condition has lasted for their time,
 * and that none fired before.
 */
async function expectAlerts(before: Scrape, after: Scrape, alerts: readonly string[]): Promise<void> {
  scrapes.push(before, after);
  for (const alert of alerts) provoked.add(alert);
  const waits = rules
    .filter(({ alert }) => alerts.includes(alert))
    .map((rule) => Number.parseInt(rule.for, 10) * (rule.for.endsWith('h') ? 60 : 1));
  const readAt = CHANGE_AT + Math.max(0, ...waits) + 2;
  const firing = (more = '') => `group by (alertname) (ALERTS{alertstate="firing"${more}})`;
  const others = firing(`,alertname!~"${alerts.join('|')}"`);
  const tests = [
    {
      interval: '1m',
      input_series: seriesOf(before, after, { changeAt: CHANGE_AT, readAt }),
      promql_expr_test: [
        { expr: firing(), eval_time: `${CHANGE_AT - 1}m`, exp_samples: [] },
        {
          expr: firing(),
          eval_time: `${readAt}m`,
          exp_samples: alerts.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
        },
        { expr: others, eval_time: `${CHANGE_AT + LATER}m`, exp_samples: [] },
      ],
    },
  ];
  const file = join(await tempDir(), 'alerts.test.yml');
  const document = { rule_files: [join(process.cwd(), ALERTS)], evaluation_interval: '1m', tests };
  await writeFile(file, stringify(document, { aliasDuplicateObjects: false }));
  const run = promisify(execFile)('promtool', ['test', 'rules', file]);
  const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error);
  expect(stdout, stderr).toContain('SUCCESS');
}

/** Serves the metrics of a master. */
async function metricsOf(master: Master): Promise<{ url: string; close: () => Promise<void> }> {
  const { url, close } = await serveMasterHttp(master, { host: '127.0.0.1', port: 0 });
  return { url, close: atEnd(close) };
}

/** Scrapes a target until it has this value, and all metrics of a master with the lease. */
async function scrapedWith(url: string, series: string, is: (value: number) => boolean): Promise<Scrape> {
  return waitFor(`a scrape with ${series}`, async () => {
    const found = await scrape({ a: url });
    const value = [...found.values].find(([name]) => name.startsWith(series))?.[1];
    const isWhole =
      hasSeries(found, 'zester_jetstream_storage_limit_bytes') &&
      hasSeries(found, 'zester_master_expiry_timestamp_seconds');
    return isWhole && value !== undefined && is(value) ? found : undefined;
  });
}

const healthy = (url: string) => scrapedWith(url, 'zester_master_watching', (value) => value === 1);

/** A scraped fleet, and a scrape from before the fault. */
async function scrapedFleet(options: Parameters<typeof startFleet>[0] = {}) {
  const fleet = await startFleet({ policy: 'manual', ...options });
  const { url, close } = await metricsOf(fleet.master);
  return { fleet, admin: await fleet.admin(), url, close, before: await healthy(url) };
}

describe.skipIf(!hasPromtool)(`the alerts on what real masters report${skipped}`, () => {
  it('ZesterPeelsPending: a host waits', async () => {
    const { fleet, admin, url, before } = await scrapedFleet();
    await (await createToken(admin, fleet)).join('new-1', generateKeyBundle('user'));
    const after = await scrapedWith(url, 'zester_peels{state="pending"', (value) => value === 1);
    await expectAlerts(before, after, ['ZesterPeelsPending']);
  });

  it('ZesterPeelsNotRenewing, then ZesterPeelsExpired: a peel does not renew', async () => {
    const clock = new TestClock();
    const { fleet, admin, url, before } = await scrapedFleet({ now: clock.now });
    await addPeel(fleet, admin, 'web-1', { expiry: 1_000 });
    await scrapedWith(url, 'zester_peels_connected', (value) => value === 1);
    clock.advance(920_000);
    const overdue = await scrapedWith(url, 'zester_peels_overdue', (value) => value === 1);
    await expectAlerts(before, overdue, ['ZesterPeelsNotRenewing']);
    const stopped = await scrapedFleet();
    await addCreds(stopped.fleet, stopped.admin, 'web-2', { expiry: 1 });
    const expired = await scrapedWith(stopped.url, 'zester_peels_expired', (value) => value === 1);
    await expectAlerts(stopped.before, expired, ['ZesterPeelsExpired']);
  });

  it.skipIf(noCluster)('ZesterRevocationUnconfirmed: a server is away', { timeout: 150_000 }, async () => {
    const fleet = await startFleetCluster();
    await fleet.startMaster({ policy: 'manual' });
    const admin = await fleet.admin();
    const { url } = await metricsOf(fleet.master);
    await addPeel(fleet, admin, 'web-1');
    const before = await healthy(url);
    const at = contextOf(fleet.master).nc.getServer();
    await fleet.home.node(fleet.home.nodes.findIndex((node) => !node.url.endsWith(at))).kill();
    await expect(admin.ask('peel.revoke', { peelId: 'web-1' })).rejects.toMatchObject({
      code: 'ERR_FLEET_UNCONFIRMED',
    });
    const after = await scrapedWith(url, 'zester_revocations_unconfirmed', (value) => value === 1);
    await expectAlerts(before, after, ['ZesterRevocationUnconfirmed']);
  });

  it('ZesterNoMaster and ZesterMasterDown: the only master is gone', async () => {
    const { url, close, before } = await scrapedFleet();
    await close();
    await expectAlerts(before, await scrape({ a: url }), ['ZesterMasterDown', 'ZesterNoMaster']);
  });

  it('ZesterMasterDown alone, or with ZesterNoLease: of two masters, one is gone', async () => {
    const { fleet, url, close } = await scrapedFleet();
    const second = await metricsOf(await fleet.startMaster({ policy: 'manual' }));
    const targets = { a: url, b: second.url };
    const before = await scrape(targets);
    expect(hasSeries(before, 'zester_master_watching{instance="b"}')).toBe(true);
    await second.close();
    await expectAlerts(before, await scrape(targets), ['ZesterMasterDown']);
    const third = await metricsOf(await fleet.startMaster({ policy: 'manual' }));
    await close();
    const without = await scrape({ a: url, b: third.url });
    await expectAlerts(before, without, ['ZesterMasterDown', 'ZesterNoLease']);
  });

  it('ZesterCopyDetected: two hosts recover with the same credential', async () => {
    const { fleet, admin, url } = await scrapedFleet({ policy: 'auto-trusted' });
    const path = await addCreds(fleet, admin, 'web-1', { expiry: 1 });
    await mkdir(join(fleet.home.dir, 'copy'));
    const copy = join(fleet.home.dir, 'copy', 'web-1.creds');
    await copyFile(path, copy);
    await copyFile(recoveryPath(path), recoveryPath(copy));
    const creds = await loadCredsFile(path);
    await waitFor('the credential to expire', () => creds.isExpired(() => Date.now() - 1_100));
    const recover = (credsPath: string) =>
      recoverCredentials({ servers: fleet.servers, waitMs: 20_000, credsPath, credentials: undefined });
    const isConfirmed = () => scrapedWith(url, 'zester_revocations_unconfirmed', (n) => n === 0);
    await recover(path);
    await healthy(url);
    // the replaced key is revoked, which is not what this is about
    const before = await isConfirmed();
    await expect(recover(copy)).rejects.toMatchObject({ code: 'ERR_FLEET_CLONED' });
    await scrapedWith(url, 'zester_master_recoveries_total{outcome="cloned"', (n) => n === 1);
    await expectAlerts(before, await isConfirmed(), ['ZesterCopyDetected']);
  });

  it('ZesterFlood: requests in the name of a peel, far above its rate', async () => {
    const { fleet, admin, url, before } = await scrapedFleet();
    await addPeel(fleet, admin, 'web-1');
    const all = await connectUser(fleet, 'tool', undefined);
    const after = await waitFor('the flood to be seen', async () => {
      for (let i = 0; i < 500; i += 1) all.publish(authSubject('web-1', 'renew'), 'x');
      await all.flush();
      const found = await scrape({ a: url });
      return [...found.values].some(([name, value]) => name.startsWith('zester_master_floods') && value > 0)
        ? found
        : undefined;
    });
    await expectAlerts(before, after, ['ZesterFlood']);
  });

  it('ZesterJetStreamFull: a stream fills the storage', { timeout: 60_000 }, async () => {
    const home = await startHome();
    const node = home.node(0);
    await node.stop();
    const text = await readFile(node.configPath, 'utf8');
    await writeFile(
      node.configPath,
      text.replace(/jetstream:?\s*\{/, 'jetstream {\n  max_file_store: 400KB\n'),
    );
    await node.start();
    const fleet = new Fleet(home);
    const first = await fleet.startMaster({ policy: 'manual' });
    const served = await metricsOf(first);
    const before = await healthy(served.url);
    const nc = await connectUser(fleet, 'filler', undefined);
    await (await jetstreamManager(nc)).streams.add({ name: 'FILL', subjects: ['fill'], max_bytes: 345_000 });
    for (let i = 0; i < 400; i += 1) await jetstream(nc).publish('fill', Buffer.alloc(1_000));
    // a master queries the servers at once when it gets the lease, and then every 30 seconds
    await first.stop();
    const { url } = await metricsOf(await fleet.startMaster({ policy: 'manual' }));
    const after = await healthy(url);
    await expectAlerts(before, after, ['ZesterJetStreamFull']);
  });

  it('ZesterAuditTrimmed: the retention deletes events', async () => {
    const { fleet, admin, url } = await scrapedFleet();
    for (let i = 1; i <= 10; i += 1) await addCreds(fleet, admin, `web-${i}`);
    const watch = new RetentionWatch(contextOf(fleet.master));
    await watch.check();
    const before = await healthy(url);
    const { bytes } = (await contextOf(fleet.master).store.jsm.streams.info('zester-audit')).state;
    await setAuditRetention(fleet.home.home, { maxBytes: bytes - 1 }, fleet.home.options);
    await watch.check();
    await watch.stop();
    const after = await scrapedWith(url, 'zester_audit_trimmed_events_total', (value) => value > 0);
    await expectAlerts(before, after, ['ZesterAuditTrimmed']);
  });

  it('ZesterOwnCredentialsExpire: the credentials of a home expire soon', async () => {
    const { fleet, url, before } = await scrapedFleet();
    const { home } = fleet.home;
    const { settings: path } = trustPaths(home);
    const { renewal, ...settings } = await readSettings(path);
    if (renewal === undefined) throw new Error('the home has no renewal');
    await writeSettings(path, { ...settings, renewal: { ...renewal, lifetime: 3 * 86_400 } });
    expect(await zester(['creds', 'renew', '--home', home])).toMatchObject({ code: 0 });
    // a change of the home makes the master check at once
    await writeSettings(path, { ...settings, renewal: { ...renewal, lifetime: 3 * 86_400 } });
    const isSoon = (value: number) => value < Date.now() / 1000 + 4 * 86_400;
    const after = await scrapedWith(url, 'zester_master_expiry_timestamp_seconds{of="admin_creds"', isSoon);
    await expectAlerts(before, after, ['ZesterOwnCredentialsExpire']);
  });

  it('ZesterCertificateExpires: the certificates that a home names are good for a day', async () => {
    const { ca: caFile, cert, key, clientCert: certFile, clientKey: keyFile } = await createTlsFiles();
    const tls = { caFile, certFile, keyFile };
    const home = await startHome({
      serverTls: { cert, key, ca: caFile, verify: true },
      tls,
      prepare: async (dir) => {
        const { settings: path } = trustPaths(dir);
        await writeSettings(path, { ...(await readSettings(path)), tls });
      },
    });
    const fleet = new Fleet(home);
    await fleet.startMaster({ policy: 'manual' });
    const { url } = await metricsOf(fleet.master);
    const after = await healthy(url);
    // the same home before: without certificate settings
    const before = {
      ...after,
      values: new Map([...after.values].filter(([name]) => !/of="tls_/.test(name))),
    };
    await expectAlerts(before, after, ['ZesterCertificateExpires']);
  });

  it('all rules were tried, and ask only for series that a scrape has', () => {
    expect([...provoked, ...NOT_PROVOKED].sort()).toEqual(rules.map(({ alert }) => alert).sort());
    for (const { alert, expr } of rules)
      for (const [selector] of expr.matchAll(/\b(?:zester_\w+|up)(?:\{[^}]*\})?/g))
        expect(
          scrapes.some((one) => hasSeries(one, selector)),
          `${selector} of ${alert} in a scrape`,
        ).toBe(true);
  });
});
