import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addAccountSigningKey, removeAccountSigningKey } from '../../../src/account/rotate-keys.js';
import type { Finding } from '../../../src/trust/finding.js';
import { zester } from '../../cli/run-zester.js';
import { freePort } from '../../support/free-port.js';
import { startHome } from '../trust/support.js';
import { startFleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';
import { forcedRemoval } from '../../support/forced-removal.js';

type Found = Finding & { part: string };

async function doctor(home: string, servers: readonly string[]): Promise<{ code: number; fleet: Found[] }> {
  const { code, stdout } = await zester(['doctor', '--home', home, '--servers', ...servers, '--json']);
  const { findings } = JSON.parse(stdout) as { findings: Found[] };
  return { code, fleet: findings.filter(({ part }) => part === 'fleet') };
}

describe('the doctor finds, of a fleet,', () => {
  it('nothing in a healthy fleet; then pending peels, expired ones, and an untrusted key', async () => {
    let ahead = 0;
    const fleet = await startFleet({ policy: 'manual', lifetime: 900, now: () => Date.now() - ahead });
    const admin = await fleet.admin();
    const { home } = fleet.home;
    const look = () => doctor(home, fleet.servers);
    await TestPeel.start(fleet, await addCreds(fleet, admin, 'web-01'));
    await fleet.record('web-01', ({ state }) => state === 'active');
    const well = await look();
    expect(well.fleet.map(({ severity, check }) => [severity, check])).toEqual([
      ['ok', 'master'],
      ['ok', 'peels'],
    ]);
    expect(well.code).toBe(0);

    const { path } = await fleet.home.issue('web-02');
    await fleet.home.peel('web-02', path);
    await fleet.record('web-02', ({ state }) => state === 'pending');
    // issued by a clock that is an hour behind
    ahead = 3_600_000;
    await addCreds(fleet, admin, 'web-03');
    ahead = 0;
    const { fleet: waiting, code } = await look();
    expect(code).toBe(0);
    expect(waiting).toContainEqual(
      expect.objectContaining({
        severity: 'warning',
        check: 'pending',
        message: expect.stringContaining('web-02') as string,
      }),
    );
    expect(waiting).toContainEqual(
      expect.objectContaining({
        severity: 'warning',
        check: 'expired',
        message: expect.stringContaining('web-03') as string,
      }),
    );

    const old = (await fleet.home.domain()).publicKeys.peelSigning;
    await addAccountSigningKey(home, 'peel-signing', fleet.home.options);
    await removeAccountSigningKey(home, old, forcedRemoval(old), fleet.home.options);
    const { fleet: untrusted, code: wrong } = await look();
    expect(wrong).toBe(1);
    expect(untrusted).toContainEqual(
      expect.objectContaining({ severity: 'error', check: 'signer', subject: old }),
    );
  });

  it('that no master is running, and still reads the registry', async () => {
    const fleet = await startFleet();
    await addCreds(fleet, await fleet.admin(), 'web-01');
    await fleet.master.stop();
    const { code, fleet: found } = await doctor(fleet.home.home, fleet.servers);
    expect(code).not.toBe(0);
    expect(found).toMatchObject([
      {
        severity: 'error',
        check: 'master',
        code: 'ERR_FLEET_NO_MASTER',
        fix: expect.stringContaining('zester master') as string,
      },
      { severity: 'ok', check: 'peels' },
    ]);
  });

  it('no problem where no master has ever run and there are no peels', async () => {
    const home = await startHome();
    const { code, fleet: found } = await doctor(home.home, home.servers);
    expect(code).toBe(0);
    expect(found).toMatchObject([
      { severity: 'ok', check: 'master', message: expect.stringContaining('no master is running') as string },
      { severity: 'ok' },
    ]);
  });

  it('that it could not be checked, when no server can be reached', async () => {
    const home = await startHome();
    const { code, fleet: found } = await doctor(home.home, [`nats://127.0.0.1:${await freePort()}`]);
    expect(code).toBe(4);
    expect(found).toMatchObject([{ severity: 'warning', check: 'fleet' }]);
    const offline = await zester(['doctor', '--offline', '--home', join(home.home), '--json']);
    expect(offline.stdout).not.toContain('"fleet"');
  });
});
