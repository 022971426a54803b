import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pushAccount, showAccount } from '../../../src/account/check-account.js';
import { requireComplete } from '../../../src/account/push-account.js';
import { revoke } from '../../../src/account/revoke.js';
import { refusal } from '../../support/refusal.js';
import { snapshot, startHome, startHomeCluster } from './support.js';

describe('the account on the servers', () => {
  it('is compared with the home’s, and pushed to every server of a cluster; each confirms by name', async () => {
    const fleet = await startHomeCluster();
    const peel = await fleet.issue('web-01');
    const same = await showAccount(fleet.home, fleet.options);
    expect(same.servers.map(({ server }) => server)).toEqual(['n1', 'n2', 'n3']);
    expect(same.inSync).toBe(true);

    await revoke(fleet.home, { publicKey: peel.publicKey }, { servers: false });
    const differs = await showAccount(fleet.home, fleet.options);
    expect(differs.inSync).toBe(false);
    expect(differs.home.revocations).toBe(1);
    expect(differs.servers.map(({ version, same: isSame }) => [version?.revocations, isSame])).toEqual(
      Array(3).fill([0, false]),
    );
    expect(await fleet.letsIn(peel.path, 'web-01', fleet.node(0).url)).toBe(true);

    const { report, tookOver } = await pushAccount(fleet.home, fleet.options);
    expect(report).toEqual({ confirmed: ['n1', 'n2', 'n3'], failed: [], notReached: [] });
    expect(tookOver).toBe(false);
    expect((await showAccount(fleet.home, fleet.options)).inSync).toBe(true);
    for (const i of [0, 1, 2]) expect(await fleet.letsIn(peel.path, 'web-01', fleet.node(i).url)).toBe(false);

    await fleet.node(1).kill();
    const { report: without } = await pushAccount(fleet.home, fleet.options);
    expect(without.confirmed).toEqual(['n1', 'n3']);
    const error = await refusal('ERR_NATS_SERVER_PUSH_INCOMPLETE', () =>
      requireComplete(without, 'the account'),
    );
    expect(error.message).toContain('n2');
  });

  it('is adopted by a home that is behind', async () => {
    const fleet = await startHome();
    const peel = await fleet.issue('web-01');
    const copy = join(fleet.dir, 'copy');
    await cp(fleet.home, copy, { recursive: true });
    await revoke(fleet.home, { publicKey: peel.publicKey }, fleet.options);
    const { tookOver } = await pushAccount(copy, fleet.options);
    expect(tookOver).toBe(true);
    expect((await showAccount(copy, fleet.options)).inSync).toBe(true);
    expect(await fleet.letsIn(peel.path, 'web-01', fleet.node(0).url)).toBe(false);
  });

  it('is not pushed without credentials of the system account', async () => {
    const fleet = await startHome();
    const domain = await fleet.domain();
    const { path } = await fleet.issue('web-01');
    const other = await refusal('ERR_NATS_SERVER_NOT_SYSTEM', () =>
      pushAccount(fleet.home, { ...fleet.options, systemCreds: path }),
    );
    expect(other.message).toContain(domain.publicKeys.systemAccount);
    const missing = await refusal('ERR_NATS_SERVER_NO_SYSTEM_CREDS', () =>
      pushAccount(fleet.home, { ...fleet.options, systemCreds: join(fleet.dir, 'nothing.creds') }),
    );
    expect(missing.message).toContain('--system-creds');
  });

  it('is not pushed to a server with a MEMORY resolver, and the home stays unchanged', async () => {
    const fleet = await startHome({ resolver: 'memory' });
    const before = await snapshot(fleet.home);
    await refusal('ERR_NATS_SERVER_RESOLVER', () => pushAccount(fleet.home, fleet.options));
    expect(await snapshot(fleet.home)).toEqual(before);
  });

  it('is not pushed from a home without system.creds', async () => {
    const fleet = await startHome();
    await rm((await fleet.domain()).paths.systemCreds);
    const error = await refusal('ERR_TRUST_DAMAGED', () => pushAccount(fleet.home, fleet.options));
    expect(error.message).toContain('system.creds');
  });
});
