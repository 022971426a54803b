import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { contextOf } from '../../../src/master/context-of.js';
import { addMasterKeys } from '../../../src/masters/add-master-keys.js';
import { createInvite } from '../../../src/masters/create-invite.js';
import { installInvite } from '../../../src/masters/install-invite.js';
import { trustPaths } from '../../../src/trust/paths.js';
import { readSettings, writeSettings } from '../../../src/trust/settings.js';
import { exportIdentity } from '../../../src/trust/keys/export-identity.js';
import { zester } from '../../cli/run-zester.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { letsIn as isLetIn } from './lets-in.js';
import { addCreds, TestPeel } from './peels.js';

const letsIn = (path: string, servers: string) => isLetIn(path, servers, /authorization|revoked|expired/i);

async function expiryOf(path: string): Promise<number> {
  const creds = await loadCredsFile(path);
  creds.wipe();
  return (creds.claims.exp ?? Infinity) * 1000;
}

/** Lets the credentials of a home be good for so many seconds from their next renewal on. */
async function shorten(home: string, lifetime: number): Promise<void> {
  const { settings: path } = trustPaths(home);
  const { renewal, ...settings } = await readSettings(path);
  if (renewal === undefined) throw new Error('the home has no renewal');
  await writeSettings(path, { ...settings, renewal: { ...renewal, lifetime } });
}

const renewals = async (fleet: Fleet, user: string) =>
  (await fleet.audit()).filter(({ kind, detail }) => kind === 'master.renewed' && detail?.['user'] === user)
    .length;

describe('the credentials of master, admin and system', () => {
  it('expire, and renew themselves while they are used', async () => {
    const fleet = await startFleet();
    const { home, paths } = await fleet.home.domain();
    const { url } = fleet.home.node(0);
    const peel = await TestPeel.start(fleet, await addCreds(fleet, await fleet.admin(), 'web-01'));
    await fleet.record('web-01', ({ state }) => state === 'active');
    const before = join(fleet.home.dir, 'before.creds');
    await copyFile(paths.masterCreds, before);

    const at = ['--home', home, '--servers', ...fleet.servers];
    const added = await zester(['keys', 'add', 'master-signing', '--json', ...at]);
    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(added.stdout)).toMatchObject({ stillUsed: [] });
    await shorten(home, 6);
    expect(await zester(['creds', 'renew', ...at.slice(0, 2)])).toMatchObject({ code: 0 });
    // a change of the home lets the master look at once, and not in an hour
    await shorten(home, 6);
    const files = [paths.masterCreds, paths.masterAnswersCreds, paths.adminCreds, paths.systemCreds];
    const first = await Promise.all(files.map(expiryOf));
    expect(Math.max(...first)).toBeLessThan(Date.now() + 7_000);
    expect(await letsIn(before, url)).toBe(false);

    for (const user of ['master', 'answers', 'system']) {
      await waitFor(`a renewal of ${user}`, async () => (await renewals(fleet, user)) > 0, 30_000);
    }
    await waitFor('the first ones to have expired', () => Date.now() > Math.max(...first));
    expect(fleet.master.health()).toEqual({ ok: true, problems: [] });
    // a peel believes the master that no JWT of the identity key vouches for
    await peel.peel.rotate();
    expect(peel.events.map(({ type }) => type)).not.toContain('disconnected');
    // and each command renews what it uses
    for (const args of [
      ['peel', 'list'],
      ['account', 'show'],
      ['master', 'list'],
      ['keys', 'list'],
    ]) {
      expect(await zester([...args, ...at])).toMatchObject({ code: 0 });
    }
    expect(await fleet.master.metricsText()).toMatch(
      /zester_master_credentials_expiry_timestamp_seconds 1\d{9}/,
    );
    const { signer } = contextOf(fleet.master);
    expect(signer.claims.iss).not.toBe((await fleet.home.domain()).publicKeys.account);
    expect((await fleet.audit()).map(({ kind }) => kind)).not.toContain('connection.refused');

    // a home that was not used for longer than they are good
    await fleet.master.stop();
    await shorten(home, 1);
    expect(await zester(['creds', 'renew', ...at.slice(0, 2)])).toMatchObject({ code: 0 });
    await waitFor('all to have expired', async () =>
      (await Promise.all(files.map(expiryOf))).every((time) => Date.now() > time + 1_000),
    );
    expect(await letsIn(paths.masterCreds, url)).toBe(false);
    await shorten(home, 60);
    await fleet.startMaster();
    expect(await zester(['peel', 'list', ...at])).toMatchObject({ code: 0 });
  }, 60_000);

  it('work for an invited master too, which peels trust although the identity seed is offline', async () => {
    const fleet = await startFleet();
    const { home } = fleet.home;
    await addMasterKeys(home, { servers: fleet.servers });
    await exportIdentity(home, join(fleet.home.dir, 'offline'));
    const identity = await generateX25519Identity();
    const recipients = [await identityToRecipient(identity)];
    const invite = join(fleet.home.dir, 'b.age');
    await createInvite(home, invite, { servers: fleet.servers, name: 'host-b', recipients, validMs: 60_000 });
    const second = join(fleet.home.dir, 'home-b');
    await installInvite(invite, second, { identities: [identity] });
    const peel = await TestPeel.start(fleet, await addCreds(fleet, await fleet.admin(), 'web-01'));
    await fleet.master.stop();
    const master = await fleet.startMaster({ home: second });
    fleet.masters.reverse();
    expect(contextOf(master).signer.claims.exp).toBeDefined();
    await peel.peel.rotate();
    expect((await zester(['doctor', '--offline', '--home', second])).code).toBe(0);

    await fleet.startMaster();
    fleet.masters.reverse();
    await master.stop();
    const args = ['--yes', '--timeout', '20s', '--home', home, '--servers', ...fleet.servers];
    expect(await zester(['master', 'remove', 'host-b', ...args])).toMatchObject({ code: 0 });
    const { url } = fleet.home.node(0);
    expect(await letsIn(join(second, 'creds', 'master.creds'), url)).toBe(false);
    // with the seeds that the host has, it makes itself another user: the key is not in the account any more
    const renewed = await zester(['creds', 'renew', '--home', second]);
    expect(renewed.code).toBe(0);
    expect(await letsIn(join(second, 'creds', 'master.creds'), url)).toBe(false);
    await peel.peel.rotate();
  }, 60_000);

  it('stay as they are in a home that exists, until its keys are added with the identity seed', async () => {
    const fleet = await startFleet();
    const { home, paths } = await fleet.home.domain();
    const before = await readFile(paths.masterCreds);
    expect(await zester(['creds', 'renew', '--home', home])).toMatchObject({ code: 2 });
    await exportIdentity(home, join(fleet.home.dir, 'offline'));
    const at = ['--home', home, '--servers', ...fleet.servers];
    expect(await zester(['keys', 'add', 'master-signing', ...at])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--account-seed') as string,
    });
    expect(await readFile(paths.masterCreds)).toEqual(before);
    const seed = join(fleet.home.dir, 'offline', 'account.seed');
    const added = await zester(['keys', 'add', 'master-signing', '--account-seed', seed, ...at]);
    expect(added).toMatchObject({ code: 0 });
    expect(await expiryOf(paths.masterCreds)).toBeGreaterThan(Date.now() + 89 * 86_400_000);
    expect(await zester(['keys', 'add', 'master-signing', ...at])).toMatchObject({ code: 1 });
    expect(await zester(['permissions', 'migrate', '--yes', ...at])).toMatchObject({ code: 0 });
  });
});
