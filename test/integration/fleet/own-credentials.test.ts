import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { copyFile, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { connectFleet } from '../../../src/fleet-client/connect-fleet.js';
import { contextOf } from '../../../src/master/context-of.js';
import { addMasterKeys } from '../../../src/masters/add-master-keys.js';
import { createInvite } from '../../../src/masters/create-invite.js';
import { installInvite } from '../../../src/masters/install-invite.js';
import { trustPaths } from '../../../src/trust/paths.js';
import { readSettings, writeSettings } from '../../../src/trust/settings.js';
import { exportIdentity } from '../../../src/trust/keys/export-identity.js';
import { zester } from '../../cli/run-zester.js';
import { atEnd } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import { startZester } from '../server/zester-process.js';
import { startFleet, type Fleet } from './fleet.js';
import { letsIn as isLetIn } from './lets-in.js';
import { addCreds, TestPeel } from './peels.js';

const letsIn = (path: string, servers: string) => isLetIn(path, servers, /authorization|revoked|expired/i);

async function expiryOf(path: string): Promise<number> {
  const creds = await loadCredsFile(path);
  creds.wipe();
  return (creds.claims.exp ?? Infinity) * 1000;
}

/** Sets the lifetime of a home's credentials, in seconds, from their next renewal on. */
async function shorten(home: string, lifetime: number): Promise<void> {
  const { settings: path } = trustPaths(home);
  const { renewal, ...settings } = await readSettings(path);
  if (renewal === undefined) throw new Error('the home has no renewal');
  await writeSettings(path, { ...settings, renewal: { ...renewal, lifetime } });
}

const renewals = async (fleet: Fleet, user: string) =>
  (await fleet.audit()).filter(({ kind, detail }) => kind === 'master.renewed' && detail?.['user'] === user)
    .length;

describe('the credentials of a new home', () => {
  /** Long enough for a slow machine, and short enough for two lifetimes in a test. */
  const LIFETIME = 8;
  const newFleet = () => startFleet({}, { credsLifetime: LIFETIME, now: Date.now });

  it('renew themselves unnoticed while a master runs', async () => {
    const fleet = await newFleet();
    const { home, paths } = await fleet.home.domain();
    const files = [paths.masterCreds, paths.masterAnswersCreds, paths.adminCreds, paths.systemCreds];
    const peel = await TestPeel.start(fleet, await addCreds(fleet, await fleet.admin(), 'web-01'));
    await fleet.record('web-01', ({ state }) => state === 'active');
    const program = await connectFleet({ servers: fleet.servers, credentials: paths.adminCreds });
    atEnd(() => program.close());

    // a program that sends requests continuously, for longer than two lifetimes
    const end = Math.max(...(await Promise.all(files.map(expiryOf)))) + LIFETIME * 1_000;
    let asked = 0;
    await waitFor(
      'two lifetimes to be over',
      async () => {
        expect(await program.peels.show('web-01')).toMatchObject({ record: { state: 'active' } });
        asked += 1;
        return Date.now() > end;
      },
      60_000,
    );
    expect(asked).toBeGreaterThan(10);
    for (const user of ['master', 'answers', 'admin', 'system'])
      expect(await renewals(fleet, user), user).toBeGreaterThan(1);
    expect(fleet.master.health()).toEqual({ ok: true, problems: [] });
    await peel.peel.rotate();
    expect(peel.events.map(({ type }) => type)).not.toContain('disconnected');
    expect((await fleet.audit()).map(({ kind }) => kind)).not.toContain('connection.refused');

    const again = await zester([
      'keys',
      'add',
      'master-signing',
      '--home',
      home,
      '--servers',
      ...fleet.servers,
    ]);
    expect(again).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has signing keys for its own credentials already') as string,
    });
  }, 90_000);

  it('are renewed by the command that uses them, even while it runs', async () => {
    const fleet = await newFleet();
    // like an admin's own machine, where no master runs
    const home = join(fleet.home.dir, 'laptop');
    await cp(fleet.home.home, home, { recursive: true });
    const { adminCreds } = trustPaths(home);
    const at = ['--home', home, '--servers', ...fleet.servers];
    const follow = startZester(['audit', '--follow', '--json', ...at]);
    const first = await waitFor('the command to renew its credentials', async () => {
      const expiry = await expiryOf(adminCreds);
      return follow.stdout() !== '' && expiry > Date.now() ? expiry : undefined;
    });
    await waitFor('the first ones to have expired', () => Date.now() > first + 1_000, 30_000);
    expect(await expiryOf(adminCreds)).toBeGreaterThan(Date.now());
    expect(await zester(['peel', 'add', 'web-01', '--out', fleet.home.dir, ...at])).toMatchObject({
      code: 0,
    });
    await waitFor('the command to show what happened', () => follow.stdout().includes('web-01'));
    follow.kill('SIGTERM');
    await follow.exited;
    // and it did not touch what it does not use
    expect(await expiryOf(trustPaths(home).masterCreds)).toBeLessThan(Date.now());
  }, 90_000);

  it('work again after being unused for longer than their lifetime', async () => {
    const fleet = await newFleet();
    const { home, paths } = await fleet.home.domain();
    const files = [paths.masterCreds, paths.masterAnswersCreds, paths.adminCreds, paths.systemCreds];
    const at = ['--home', home, '--servers', ...fleet.servers];
    const peel = await TestPeel.start(fleet, await addCreds(fleet, await fleet.admin(), 'web-01'));
    await fleet.record('web-01', ({ state }) => state === 'active');
    const identity = await generateX25519Identity();
    const key = join(fleet.home.dir, 'key.txt');
    await writeFile(key, `${identity}\n`, { mode: 0o600 });
    const backup = join(fleet.home.dir, 'backup.age');
    const expired = async () => {
      await waitFor(
        'all to have expired',
        async () => (await Promise.all(files.map(expiryOf))).every((time) => Date.now() > time + 1_000),
        30_000,
      );
      expect(await letsIn(paths.masterCreds, fleet.home.node(0).url)).toBe(false);
    };
    await exportIdentity(home, join(fleet.home.dir, 'offline'));
    await fleet.master.stop();
    await expired();
    // each of them connects as other users
    expect(await zester(['account', 'show', ...at])).toMatchObject({ code: 0 });
    await expired();
    expect(await zester(['keys', 'list', ...at])).toMatchObject({ code: 0, stderr: '' });
    await expired();
    const recipient = await identityToRecipient(identity);
    expect(await zester(['backup', '--out', backup, '-r', recipient, ...at])).toMatchObject({ code: 0 });
    await expired();
    // a backup whose credentials have expired, too
    const restored = join(fleet.home.dir, 'restored');
    const there = ['--home', restored, '--servers', ...fleet.servers];
    const done = await zester(['restore', backup, '-i', key, ...there]);
    expect(done.code, done.stderr).toBe(0);
    await fleet.startMaster({ home: restored });
    expect(await zester(['peel', 'list', ...there])).toMatchObject({ code: 0 });
    await peel.peel.rotate();
  }, 120_000);
});

describe('credentials created without an expiry', () => {
  it('expire, and renew themselves while they are used, once it has the keys', async () => {
    const fleet = await startFleet({}, { credsLifetime: 0 });
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
    // a change of the home makes the master check at once, and not in an hour
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
    // a peel trusts the master without a JWT signed by the identity key
    await peel.peel.rotate();
    expect(peel.events.map(({ type }) => type)).not.toContain('disconnected');
    // and each command renews the credentials that it uses
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

    // a home that was unused for longer than their lifetime
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
    const fleet = await startFleet({}, { credsLifetime: 0 });
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
    // with the host's seeds, it creates another user: the key is no longer in the account
    const renewed = await zester(['creds', 'renew', '--home', second]);
    expect(renewed.code).toBe(0);
    expect(await letsIn(join(second, 'creds', 'master.creds'), url)).toBe(false);
    await peel.peel.rotate();
  }, 60_000);

  it('stay as they are until the keys are added with the identity seed', async () => {
    const fleet = await startFleet({}, { credsLifetime: 0 });
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
