import { copyFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../src/creds/parse.js';
import { addAccountSigningKey } from '../../src/account/rotate-keys.js';
import { Fleet, startFleet } from '../integration/fleet/fleet.js';
import { startHome } from '../integration/trust/support.js';
import { addCreds } from '../integration/fleet/peels.js';
import { zester } from './run-zester.js';

describe('commands that work from the home, in a fleet whose peels a master issued', () => {
  it('"zester revoke" finds an offline peel in the registry, without a master', async () => {
    const fleet = await startFleet();
    const path = await addCreds(fleet, await fleet.admin(), 'web-01');
    const { publicKey } = await loadCredsFile(path);
    await fleet.master.stop();
    const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];

    const revoked = await zester(['revoke', 'web-01', '--yes', '--json', ...at]);
    expect(revoked.code).toBe(0);
    expect((JSON.parse(revoked.stdout) as { revoked: string[] }).revoked).toEqual([publicKey]);
    expect(await fleet.home.letsIn(path, 'web-01', fleet.home.node(0).url)).toBe(false);

    const unknown = await zester(['revoke', 'web-02', '--yes', ...at]);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('zester peel revoke web-02');
  });

  it('"zester keys" counts JWTs that masters signed, refuses to cut them off, and audits the removal', async () => {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    const old = (await fleet.home.domain()).publicKeys.peelSigning;
    const path = await addCreds(fleet, admin, 'web-01');
    await fleet.home.peel('web-01', path);
    await fleet.record('web-01', ({ state }) => state === 'active');
    await addAccountSigningKey(fleet.home.home, 'peel-signing', fleet.home.options);
    const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];

    const listed = await zester(['keys', 'list', '--json', ...at]);
    const { keys } = JSON.parse(listed.stdout) as {
      keys: { publicKey: string; valid: number; connected: number }[];
    };
    expect(keys.find(({ publicKey }) => publicKey === old)).toMatchObject({ valid: 1, connected: 1 });

    const refused = await zester(['keys', 'remove', old, '--yes', ...at]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('1 valid credential depends on');
    expect(await fleet.home.letsIn(path, 'web-01', fleet.home.node(0).url)).toBe(true);

    expect((await zester(['keys', 'remove', old, '--yes', '--force', ...at])).code).toBe(0);
    expect(await fleet.home.letsIn(path, 'web-01', fleet.home.node(0).url)).toBe(false);
    const event = await fleet.audited('signing-key.removed', ({ publicKey }) => publicKey === old);
    expect(event.detail).toMatchObject({ forced: true, valid: 1, connected: 1 });
  });

  it('"zester revoke --issued-before" reaches an offline peel whose master’s clock was ahead, and names the others', async () => {
    const fleet = new Fleet(await startHome());
    const ahead = 600_000;
    const master = await fleet.startMaster({ now: () => Date.now() + ahead });
    const path = await addCreds(fleet, await fleet.admin(), 'web-01');
    const { claims } = await loadCredsFile(path);
    expect(claims.iat).toBeGreaterThan(Date.now() / 1000 + 300);
    await master.stop();
    const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];
    const { url } = fleet.home.node(0);
    expect(await fleet.home.letsIn(path, 'web-01', url)).toBe(true);

    const revoked = await zester(['revoke', '--issued-before', '1s', '--yes', ...at]);
    expect(revoked.code).toBe(0);
    expect(revoked.stdout).toContain(claims.sub);
    expect(revoked.stdout).toContain('a JWT dated later than');
    expect(await fleet.home.letsIn(path, 'web-01', url)).toBe(false);
  });

  it('"zester revoke --issued-before" ends with 4 when the registry cannot be read, and has revoked', async () => {
    const fleet = await startFleet();
    const path = await addCreds(fleet, await fleet.admin(), 'web-01');
    const { paths } = await fleet.home.domain();
    await fleet.master.stop();
    // a user that may not read the registry
    await copyFile(paths.adminCreds, paths.masterCreds);
    const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const revoked = await zester(['revoke', '--issued-before', '1s', '--yes', ...at]);
    expect(revoked.code).toBe(4);
    expect(revoked.stderr).toContain('the registry could not be read');
    expect(await fleet.home.letsIn(path, 'web-01', fleet.home.node(0).url)).toBe(false);
  });
});
