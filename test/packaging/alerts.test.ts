import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { MasterMetrics } from '../../src/master/metrics.js';
import { hasProgram } from '../support/has-program.js';
import { tempDir } from '../support/temp-dir.js';

const ALERTS = 'packaging/prometheus/alerts.yml';
const DASHBOARDS = 'packaging/grafana';

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}
const { groups } = parse(await readFile(ALERTS, 'utf8')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

const known = new Set(new MasterMetrics().registry.getMetricsAsArray().map(({ name }) => name));
/** The metrics of Zester in a query. Histograms have three additional names. */
const metricsIn = (query: string) =>
  [...query.matchAll(/\bzester_\w+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, ''));

/** A healthy fleet for four hours, with one value per minute. */
const HEALTHY: Readonly<Record<string, string>> = {
  'up{job="zester",instance="a"}': '1x240',
  'zester_master_watching{instance="a"}': '1x240',
  'zester_master_connections_waiting{instance="a"}': '0x240',
  'zester_peels_overdue{instance="a"}': '0x240',
  'zester_peels_expired{instance="a"}': '5x240',
  'zester_peels{state="pending",instance="a"}': '0x240',
  'zester_revocations_unconfirmed{instance="a"}': '0x240',
  'zester_master_revocations_held{instance="a"}': '0x240',
  'zester_master_recoveries_total{outcome="cloned",instance="a"}': '0x240',
  'zester_master_floods_total{outcome="cut",instance="a"}': '0x240',
  'zester_jetstream_storage_bytes{server="n1",instance="a"}': '10x240',
  'zester_jetstream_storage_limit_bytes{server="n1",instance="a"}': '100x240',
  'zester_audit_trimmed_events_total{instance="a"}': '0x240',
  'zester_master_expiry_timestamp_seconds{of="master_creds",instance="a"}': '4000000000x240',
  'zester_master_expiry_timestamp_seconds{of="account_jwt",instance="a"}': '4000000000x240',
  'zester_master_expiry_timestamp_seconds{of="tls_certificate",instance="a"}': '4000000000x240',
};
/** The evaluation time: two hours after the start. */
const AT = '2h';
const days = (count: number) => `${count * 86_400}x240`;

/** The faults by the alert that they fire, with the labels of the alert. `value`: as shown in the description. */
const WRONG: Readonly<
  Record<
    string,
    { series: Record<string, string | undefined>; labels?: Record<string, string>; value?: string }
  >
> = {
  ZesterNoMaster: { series: { 'zester_master_watching{instance="a"}': undefined } },
  ZesterMasterDown: {
    series: { 'up{job="zester",instance="a"}': '0x240' },
    labels: { job: 'zester', instance: 'a' },
  },
  ZesterNoLease: { series: { 'zester_master_watching{instance="a"}': '0x240' } },
  ZesterMasterOverloaded: {
    series: { 'zester_master_connections_waiting{instance="a"}': '5000x240' },
    value: '5000',
  },
  ZesterPeelsNotRenewing: { series: { 'zester_peels_overdue{instance="a"}': '3x240' }, value: '3' },
  ZesterPeelsExpired: { series: { 'zester_peels_expired{instance="a"}': '5x100 9x140' }, value: '4' },
  ZesterPeelsPending: { series: { 'zester_peels{state="pending",instance="a"}': '2x240' }, value: '2' },
  ZesterRevocationUnconfirmed: {
    series: { 'zester_revocations_unconfirmed{instance="a"}': '1x240' },
    value: '1',
  },
  ZesterRevocationsHeld: { series: { 'zester_master_revocations_held{instance="a"}': '4x240' }, value: '4' },
  ZesterCopyDetected: {
    series: { 'zester_master_recoveries_total{outcome="cloned",instance="a"}': '0x110 1x130' },
    labels: { outcome: 'cloned', instance: 'a' },
  },
  ZesterFlood: {
    series: { 'zester_master_floods_total{outcome="cut",instance="a"}': '0x110 1x130' },
    labels: { outcome: 'cut', instance: 'a' },
  },
  ZesterJetStreamFull: {
    series: { 'zester_jetstream_storage_bytes{server="n1",instance="a"}': '90x240' },
    labels: { server: 'n1', instance: 'a' },
    value: '90%',
  },
  ZesterAuditTrimmed: {
    series: { 'zester_audit_trimmed_events_total{instance="a"}': '0x110 100x130' },
    labels: { instance: 'a' },
  },
  ZesterOwnCredentialsExpire: {
    series: { 'zester_master_expiry_timestamp_seconds{of="master_creds",instance="a"}': days(3) },
    labels: { of: 'master_creds', instance: 'a' },
    value: '2d 22h 0m 0s',
  },
  ZesterTrustJwtExpires: {
    series: { 'zester_master_expiry_timestamp_seconds{of="account_jwt",instance="a"}': days(20) },
    labels: { of: 'account_jwt' },
    value: '19d 22h 0m 0s',
  },
  ZesterCertificateExpires: {
    series: { 'zester_master_expiry_timestamp_seconds{of="tls_certificate",instance="a"}': days(10) },
    labels: { of: 'tls_certificate', instance: 'a' },
    value: '9d 22h 0m 0s',
  },
};

/** A promtool test: the alerts for a fault; without one, no alert fires. */
function promtoolTest(fired?: string): object {
  const wrong = fired === undefined ? undefined : WRONG[fired];
  const series = Object.entries({ ...HEALTHY, ...wrong?.series }).filter(
    ([, values]) => values !== undefined,
  );
  return {
    name: fired ?? 'a healthy fleet',
    interval: '1m',
    input_series: series.map(([name, values]) => ({ series: name, values })),
    alert_rule_test: rules.map(({ alert, labels, annotations }) => ({
      eval_time: AT,
      alertname: alert,
      exp_alerts:
        alert !== fired
          ? []
          : [
              {
                exp_labels: { ...labels, ...wrong?.labels },
                exp_annotations: {
                  summary: annotations.summary,
                  description: annotations.description
                    .replace(/\{\{ \$value[^}]*\}\}/g, wrong?.value ?? '')
                    .replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => wrong?.labels?.[name] ?? ''),
                },
              },
            ],
    })),
  };
}

const promtool = async (...args: string[]) => (await promisify(execFile)('promtool', args)).stdout;
const hasPromtool = hasProgram('promtool');
const skipped = hasPromtool ? '' : ' (skipped: apt-get install prometheus for promtool)';

describe(`the alerts in ${ALERTS}`, () => {
  it('name metrics that a master has', () => {
    expect(rules.flatMap(({ expr }) => metricsIn(expr)).filter((name) => !known.has(name))).toEqual([]);
  });

  it('say what to do, and are all tested and documented', async () => {
    const document = await readFile('docs/monitoring.md', 'utf8');
    for (const { alert, annotations, labels } of rules) {
      expect(annotations.description.length, alert).toBeGreaterThan(40);
      expect(document).toContain(`| \`${alert}\` | ${labels.severity} |`);
    }
    expect(Object.keys(WRONG).sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });

  it.skipIf(!hasPromtool)(`fire each for its own reason, and not on a healthy fleet${skipped}`, async () => {
    expect(await promtool('check', 'rules', ALERTS)).toContain('SUCCESS');
    const file = join(await tempDir(), 'alerts.test.yml');
    const tests = [promtoolTest(), ...rules.map(({ alert }) => promtoolTest(alert))];
    const rule_files = [join(process.cwd(), ALERTS)];
    await writeFile(
      file,
      stringify({ rule_files, evaluation_interval: '1m', tests }, { aliasDuplicateObjects: false }),
    );
    expect(await promtool('test', 'rules', file)).toContain('SUCCESS');
  });
});

describe(`the dashboards in ${DASHBOARDS}`, () => {
  it('query metrics that a master has, and all of them somewhere', async () => {
    const used = new Set<string>();
    for (const name of await readdir(DASHBOARDS)) {
      const dashboard = JSON.parse(await readFile(join(DASHBOARDS, name), 'utf8')) as {
        panels: { id: number; gridPos: object; targets: { expr: string }[] }[];
      };
      const ids = dashboard.panels.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { targets } of dashboard.panels)
        for (const { expr } of targets) for (const metric of metricsIn(expr)) used.add(metric);
    }
    expect([...used].sort()).toEqual([...known].sort());
  });
});
