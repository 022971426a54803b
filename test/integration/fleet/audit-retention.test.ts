import { describe, expect, it } from 'vitest';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { join } from 'node:path';
import { auditRetention, setAuditRetention } from '../../../src/account/audit-retention.js';
import { createBackup } from '../../../src/backup/create-backup.js';
import { verifyBackup } from '../../../src/backup/verify-backup.js';
import { RetentionWatch } from '../../../src/master/audit/retention-watch.js';
import { contextOf } from '../../../src/master/context-of.js';
import type { Finding } from '../../../src/trust/finding.js';
import { zester } from '../../cli/run-zester.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds } from './peels.js';

const DAY = 86_400_000;

async function findings(fleet: Fleet, ...flags: string[]): Promise<Finding[]> {
  const at = ['--home', fleet.home.home, '--servers', ...fleet.servers, '--json'];
  const { stdout } = await zester(['doctor', ...flags, ...at]);
  return (JSON.parse(stdout) as { findings: Finding[] }).findings;
}

describe('the retention of the audit log', () => {
  it('is 400 days in a new fleet, and set by the identity seed alone', async () => {
    const fleet = await startFleet();
    const { home, options } = fleet.home;
    expect((await auditRetention(home, options)).retention).toEqual({ maxAgeMs: 400 * DAY, maxBytes: 0 });
    const at = ['--home', home, '--servers', ...fleet.servers, '--json'];
    const set = await zester(['audit', 'retention', '--audit-retention', '30d', '--audit-size', '5G', ...at]);
    expect(set.code, set.stderr).toBe(0);
    expect(JSON.parse(set.stdout)).toMatchObject({
      retention: { maxAgeMs: 30 * DAY, maxBytes: 5 * 1024 ** 3 },
      deleted: 'nothing',
    });
    const shown = await zester(['audit', 'retention', '--home', home, '--servers', ...fleet.servers]);
    expect(shown.stdout).toContain('events are kept for 30 days, and at most 5G of them');
    const { jsm } = contextOf(fleet.master).store;
    await expect(jsm.streams.update('zester-audit', { max_age: 1_000_000_000 })).rejects.toThrow();
    expect((await auditRetention(home, options)).retention.maxAgeMs).toBe(30 * DAY);
    const forever = await zester(['audit', 'retention', '--audit-retention', 'forever', ...at]);
    expect(JSON.parse(forever.stdout)).toMatchObject({ retention: { maxAgeMs: 0 } });
    for (const bad of ['1h', 'long', '0d'])
      expect((await zester(['audit', 'retention', '--audit-retention', bad, ...at])).code, bad).toBe(2);
  });

  it('deletes the oldest events with a notice, and neither doctor nor a backup mistakes that for an attack', async () => {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    for (let i = 1; i <= 20; i += 1) await addCreds(fleet, admin, `web-${i}`);
    await waitFor('this master to watch', () => fleet.master.watching);
    const watch = new RetentionWatch(contextOf(fleet.master));
    await watch.check();
    const { jsm } = contextOf(fleet.master).store;
    const { state } = await jsm.streams.info('zester-audit');
    const verdict = await setAuditRetention(
      fleet.home.home,
      { maxBytes: state.bytes - 1 },
      fleet.home.options,
    );
    expect(verdict).toMatchObject({ deleted: 'size', soon: 'size' });
    await watch.check();
    await watch.stop();
    const trimmed = await fleet.audited('audit.trimmed');
    expect(trimmed.detail?.['events']).toBeGreaterThan(0);
    // by a master that takes over: it reports only new deletions
    const { bytes } = (await jsm.streams.info('zester-audit')).state;
    await setAuditRetention(fleet.home.home, { maxBytes: bytes - 1 }, fleet.home.options);
    const successor = new RetentionWatch(contextOf(fleet.master));
    await successor.check();
    await successor.stop();
    await waitFor('both reports', async () => {
      const reports = (await fleet.audit()).filter(({ kind }) => kind === 'audit.trimmed');
      const { first_seq: first } = (await jsm.streams.info('zester-audit')).state;
      const events = reports.reduce((sum, { detail }) => sum + Number(detail?.['events']), 0);
      return (
        reports.length >= 2 && events === Number(reports.at(-1)?.detail?.['first']) - 1 && first >= events
      );
    });
    expect((await findings(fleet)).find(({ check }) => check === 'audit')?.message).toContain(
      'will be deleted soon',
    );
    expect((await findings(fleet, '--integrity')).filter(({ severity }) => severity === 'error')).toEqual([]);
    const identity = await generateX25519Identity();
    const path = join(fleet.home.dir, 'fleet.age');
    await createBackup(fleet.home.home, path, {
      ...fleet.home.options,
      recipients: [await identityToRecipient(identity)],
    });
    expect((await verifyBackup(path, [identity])).unexplained).toEqual([]);
  });

  it('does not explain an empty audit log whose limits are not reached, and doctor reports that', async () => {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    for (const id of ['web-01', 'web-02', 'web-03']) await addCreds(fleet, admin, id);
    const { jsm } = contextOf(fleet.master).store;
    const { state } = await jsm.streams.info('zester-audit');
    await setAuditRetention(fleet.home.home, { maxBytes: Math.floor(state.bytes / 2) }, fleet.home.options);
    await setAuditRetention(fleet.home.home, { maxBytes: 0 }, fleet.home.options);
    expect((await findings(fleet)).find(({ check }) => check === 'audit')?.message).toContain(
      'its retention did not delete them',
    );
  });
});
