import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { joinFleet } from '../../../src/peel/join.js';
import { contextOf } from '../../../src/master/context-of.js';
import { createInvite } from '../../../src/masters/create-invite.js';
import { decryptInvite } from '../../../src/masters/decrypt.js';
import { installInvite } from '../../../src/masters/install-invite.js';
import { listMasters } from '../../../src/masters/list-masters.js';
import { exportIdentity } from '../../../src/trust/keys/export-identity.js';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { loadKeyBundleFromFile } from '../../../src/creds/load-key-bundle.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { connectSystem } from '../../../src/system-account/system-connection.js';
import type { TrustDomain } from '../../../src/trust/domain.js';
import { openTrustDomain } from '../../../src/trust/open.js';
import { zester } from '../../cli/run-zester.js';
import { connectNaming } from '../../support/connect-naming.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { letsIn } from './lets-in.js';
import { addCreds, TestPeel, tokenFile } from './peels.js';

/** An age identity and its recipient. */
async function ageKey() {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** The home of a master invited by the first. */
async function secondHome(fleet: Fleet, name = 'host-b'): Promise<string> {
  const { identity, recipient } = await ageKey();
  const invite = join(fleet.home.dir, `${name}.age`);
  const options = { servers: fleet.servers, name, recipients: [recipient], validMs: 60_000 };
  await createInvite(fleet.home.home, invite, options);
  const home = join(fleet.home.dir, `home-${name}`);
  await installInvite(invite, home, { identities: [identity] });
  return home;
}

async function seedsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return Promise.all(names.map(async (name) => (await readFile(join(directory, name), 'utf8')).trim()));
}

describe('a second master, with its own home', () => {
  it('serves peels of the first, and the first serves its peels', async () => {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    const home = await secondHome(fleet);
    const [first] = fleet.masters;
    const admin = await fleet.admin();
    const ofFirst = await TestPeel.start(fleet, await addCreds(fleet, admin, 'of-first'));
    await fleet.record('of-first', ({ state }) => state === 'active');
    await first?.stop();
    const second = await fleet.startMaster({ home, policy: 'auto-trusted' });
    fleet.masters.reverse();
    await fleet.audited('master.installed', ({ detail }) => detail?.['master'] === 'host-b');

    await ofFirst.peel.rotate();
    const token = await tokenFile(fleet, admin);
    const joined = await joinFleet({
      ...fleet.connection,
      token,
      peelId: 'of-second',
      out: join(fleet.home.dir, 'of-second.creds'),
    });
    const ofSecond = await TestPeel.start(fleet, joined.path);

    const own = (await openTrustDomain(home)).publicKeys;
    const issuers = [ofFirst, ofSecond]
      .map(({ peel }) => peel.id)
      .map((id) => contextOf(second).registry.get(id)?.keys.at(-1)?.issuer);
    expect(issuers).toEqual([own.peelSigning, own.peelSigning]);
    expect(own.peelSigning).not.toBe((await fleet.home.domain()).publicKeys.peelSigning);

    await second.stop();
    const again = await fleet.startMaster();
    fleet.masters.reverse();
    await ofSecond.peel.rotate();
    const renewed = await fleet.record(
      'of-second',
      ({ keys }) => keys.at(-1)?.issuer !== own.peelSigning,
      again,
    );
    expect(renewed.state).toBe('active');
    expect((await fleet.audit()).map(({ kind }) => kind)).not.toContain('connection.refused');
  });

  it('is listed with its keys, and whether it runs', async () => {
    const fleet = await startFleet({}, { credsLifetime: 86_400 });
    const home = await secondHome(fleet);
    const options = { servers: fleet.servers };
    const before = await listMasters(fleet.home.home, options);
    expect(before[0]?.expiresAt).toBeLessThan(Date.now() + 86_400_000);
    expect(before).toMatchObject([
      { name: 'first', here: true, watching: true, connections: [{ host: '127.0.0.1' }] },
      { name: 'host-b', here: false, watching: false, expiresAt: undefined, connections: [] },
    ]);
    await fleet.startMaster({ home });
    // a thief names the key of another user, to stay unseen
    const { masterCreds } = (await fleet.home.domain()).paths;
    await connectNaming(generateKeyBundle('user').publicKey, masterCreds, fleet.home.node(0).url);
    // the invited home knows the first master's users, which no label names
    const after = await listMasters(home, options);
    expect(after.map(({ name, here, connections }) => [name, here, connections?.length])).toEqual([
      ['first', false, 2],
      ['host-b', true, 1],
    ]);
    const { stdout, code } = await zester(['master', 'list', '--json', '--home', home]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      masters: [
        { name: 'first', connected: true, watching: true },
        { name: 'host-b', connected: true, watching: false, credentialsNeverExpire: false },
      ],
    });
  });
});

describe('zester master invite', () => {
  it('carries no identity seed and no admin, and the first home may have neither', async () => {
    // the identity seed must sign only where credentials never expire
    const fleet = await startFleet({}, { credsLifetime: 0 });
    const { paths } = await fleet.home.domain();
    const offline = join(fleet.home.dir, 'offline');
    const admin = (await readFile(paths.adminCreds, 'utf8')).match(/SU[A-Z2-7]{56}/)?.[0] ?? '';
    await exportIdentity(fleet.home.home, offline);
    const identities = await seedsIn(offline);
    expect(identities).toHaveLength(2);
    const { identity, recipient } = await ageKey();
    const out = join(fleet.home.dir, 'b.age');
    const args = [
      'master',
      'invite',
      '--name',
      'host-b',
      '--out',
      out,
      '-r',
      recipient,
      '--home',
      fleet.home.home,
      '--servers',
      ...fleet.servers,
    ];
    const refused = await zester(args);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('--account-seed') as string });
    const done = await zester([...args, '--account-seed', join(offline, 'account.seed'), '--json']);
    expect(done).toMatchObject({ code: 0 });
    expect((await stat(out)).mode & 0o777).toBe(0o600);

    const content = Buffer.from(await decryptInvite(out, [identity])).toString('utf8');
    for (const seed of [...identities, admin]) {
      expect(seed).toMatch(/^S[OAU]/);
      expect(content).not.toContain(seed);
    }
    // the output of the command contains no seed of the file either
    for (const [seed] of content.matchAll(/S[OAU][A-Z2-7]{56}/g)) {
      expect(done.stdout + done.stderr).not.toContain(seed);
    }
    expect(await fleet.audited('master.invited')).toMatchObject({ detail: { master: 'host-b' } });
  });

  it('refuses a taken name and an invalid recipient, and changes nothing', async () => {
    const fleet = await startFleet();
    await secondHome(fleet);
    const before = (await fleet.home.domain()).accountJwt;
    const { recipient } = await ageKey();
    const invite = (name: string, to: string) =>
      zester([
        ...['master', 'invite', '--name', name, '--out', join(fleet.home.dir, 'x.age'), '-r', to],
        ...['--home', fleet.home.home, '--servers', ...fleet.servers],
      ]);
    expect(await invite('host-b', recipient)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('host-b') as string,
    });
    expect(await invite('first', recipient)).toMatchObject({ code: 2 });
    expect(await invite('Host B', recipient)).toMatchObject({ code: 2 });
    expect(await invite('host-c', 'age1nothing')).toMatchObject({ code: 2 });
    expect((await fleet.home.domain()).accountJwt).toBe(before);
    expect(await readdir(fleet.home.dir)).not.toContain('x.age');
  });

  it('removes the new keys from the account when the file cannot be written', async () => {
    const fleet = await startFleet();
    const { recipient } = await ageKey();
    // a directory appears at the path of the file only once everything is pushed
    const path = join(fleet.home.dir, 'x.age');
    await mkdir(join(path, 'full'), { recursive: true });
    const options = { servers: fleet.servers, name: 'host-b', recipients: [recipient], validMs: 60_000 };
    await expect(createInvite(fleet.home.home, path, options)).rejects.toMatchObject({
      code: 'ERR_FILE_WRITE',
    });
    expect((await listMasters(fleet.home.home, options)).map(({ name }) => name)).toEqual(['first']);
  });
});

describe('zester master install', () => {
  it('refuses an invitation that is expired, from another operator or for another recipient, and a home that is not empty', async () => {
    const fleet = await startFleet();
    const { identity, recipient } = await ageKey();
    const invite = join(fleet.home.dir, 'b.age');
    const options = { servers: fleet.servers, name: 'host-b', recipients: [recipient], validMs: 60_000 };
    await createInvite(fleet.home.home, invite, options);
    const home = join(fleet.home.dir, 'home-b');
    const key = join(fleet.home.dir, 'key.txt');
    await writeFile(key, `${identity}\n`, { mode: 0o600 });
    const install = (args: string[] = [], now?: number, to = home) =>
      zester(
        ['master', 'install', invite, '-i', key, '--home', to, ...args],
        now === undefined ? {} : { now },
      );

    const later = Date.now() + 3_600_000;
    expect(await install([], later)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('ERR_TRUST_INVITE_EXPIRED') as string,
    });
    const other = `O${'A'.repeat(55)}`;
    expect(await install(['--operator', other])).toMatchObject({ code: 1 });
    const stranger = (await ageKey()).identity;
    await expect(installInvite(invite, home, { identities: [stranger] })).rejects.toMatchObject({
      code: 'ERR_BACKUP_IDENTITY',
    });
    expect(await readdir(fleet.home.dir)).not.toContain('home-b');
    expect(await install([], undefined, fleet.home.home)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not empty') as string,
    });

    const { operator } = (await fleet.home.domain()).publicKeys;
    const done = await install(['--operator', operator, '--json']);
    expect(done).toMatchObject({ code: 0 });
    expect(JSON.parse(done.stdout)).toMatchObject({ name: 'host-b', servers: fleet.servers });
    expect((await stat(join(home, 'keys', 'peel-signing.seed'))).mode & 0o777).toBe(0o600);
    expect(await install()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not empty') as string,
    });
    const doctor = await zester(['doctor', '--offline', '--home', home]);
    expect(doctor).toMatchObject({ code: 0 });
  });

  it('refuses an invitation with any byte changed', async () => {
    const fleet = await startFleet();
    const { identity, recipient } = await ageKey();
    const invite = join(fleet.home.dir, 'b.age');
    const options = { servers: fleet.servers, name: 'host-b', recipients: [recipient], validMs: 60_000 };
    await createInvite(fleet.home.home, invite, options);
    const content = await readFile(invite);
    for (const at of [0, 60, Math.floor(content.length / 2), content.length - 1]) {
      const changed = Buffer.from(content);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const path = join(fleet.home.dir, 'changed.age');
      await writeFile(path, changed);
      await expect(
        installInvite(path, join(fleet.home.dir, 'home-b'), { identities: [identity] }),
      ).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_(TRUST_INVITE|BACKUP_IDENTITY)$/) as string,
      });
    }
    await waitFor('nothing to be written', async () => !(await readdir(fleet.home.dir)).includes('home-b'));
  });
});

describe('zester master remove', () => {
  /** Two masters on two homes, each with a peel that it signed. */
  async function twoMasters({ running = false } = {}) {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    const home = await secondHome(fleet);
    const admin = await fleet.admin();
    const first = fleet.master;
    const ofFirst = await TestPeel.start(fleet, await addCreds(fleet, admin, 'of-first'));
    await fleet.record('of-first', ({ state }) => state === 'active');
    await first.stop();
    fleet.masters.length = 0;
    const second = await fleet.startMaster({ home });
    const ofSecond = await TestPeel.start(fleet, await addCreds(fleet, admin, 'of-second'));
    await fleet.record('of-second', ({ state }) => state === 'active');
    await fleet.startMaster();
    fleet.masters.reverse();
    // the other one has the lease from here on
    if (!running) await second.stop();
    const args = ['--yes', '--json', '--home', fleet.home.home, '--servers', ...fleet.servers];
    const remove = (...more: string[]) => zester(['master', 'remove', 'host-b', ...args, ...more]);
    return { fleet, home, admin, ofFirst, ofSecond, second, remove };
  }

  it('renews the peels of the removed master first, without cutting connections', async () => {
    const { fleet, home, ofFirst, ofSecond, remove } = await twoMasters();
    const { peelSigning } = (await openTrustDomain(home)).publicKeys;
    const done = await remove('--timeout', '20s');
    expect(done).toMatchObject({ code: 0 });
    expect(JSON.parse(done.stdout)).toMatchObject({ master: 'host-b', renewed: 1, cut: [], now: false });
    const record = await fleet.record('of-second', ({ keys }) => keys.at(-1)?.issuer !== peelSigning);
    expect(record).toMatchObject({ state: 'active' });
    for (const { events, peel } of [ofFirst, ofSecond]) {
      expect(events.map(({ type }) => type)).not.toContain('disconnected');
      expect(peel.nc.isClosed()).toBe(false);
    }
    expect((await listMasters(fleet.home.home, { servers: fleet.servers })).map(({ name }) => name)).toEqual([
      'first',
    ]);
    expect(await fleet.audited('master.removed')).toMatchObject({
      detail: { master: 'host-b', now: false, renewed: 1, cut: 0 },
    });
    expect((await fleet.audit()).map(({ kind }) => kind)).not.toContain('connection.refused');
  });

  it('withdraws a stolen host at once: its users, its keys, and no other peel', async () => {
    const { fleet, home, ofFirst, ofSecond, second, remove } = await twoMasters({ running: true });
    const domain = await openTrustDomain(home);
    const { paths } = domain;
    const minted = join(fleet.home.dir, 'minted.creds');
    await domain.issuePeel('minted', minted);
    const { url } = fleet.home.node(0);
    expect(await letsIn(paths.masterCreds, url)).toBe(true);

    const done = await remove('--now', '--reason', 'stolen');
    expect(done).toMatchObject({ code: 0 });
    expect(JSON.parse(done.stdout)).toMatchObject({ renewed: 0, cut: ['of-second'], now: true });
    expect(second.health().ok).toBe(false);
    await second.stop({ waitMs: 0 });

    for (const path of [paths.masterCreds, paths.masterAnswersCreds, minted]) {
      expect(await letsIn(path, url)).toBe(false);
    }
    // nor can the host push: its user of the system account is revoked, and a self-signed one is invalid
    await expect(connectSystem(domain, { servers: fleet.servers })).rejects.toMatchObject({
      code: 'ERR_NATS_SERVER_REFUSED',
    });
    await renewSystemCreds(domain);
    await expect(connectSystem(domain, { servers: fleet.servers })).rejects.toMatchObject({
      code: 'ERR_NATS_SERVER_REFUSED',
    });
    expect(await letsIn(ofSecond.credsPath, url)).toBe(false);
    expect(ofFirst.events.map(({ type }) => type)).not.toContain('disconnected');
    await ofFirst.peel.rotate();
    expect(await fleet.audited('master.removed')).toMatchObject({
      reason: 'stolen',
      detail: { cut: 1, now: true },
    });
  });

  it('keeps the keys while a peel that does not renew depends on them, and names it; resumes when run again', async () => {
    const { fleet, ofSecond, remove, home } = await twoMasters();
    await ofSecond.peel.nc.close();
    await waitFor('it to be gone', async () => {
      const { presence } = contextOf(fleet.master);
      return (presence.get('of-second')?.connections.length ?? 0) === 0;
    });
    const left = await remove('--timeout', '1s');
    expect(left).toMatchObject({ code: 1, stderr: expect.stringContaining('of-second') as string });
    const { url } = fleet.home.node(0);
    expect(await letsIn(ofSecond.credsPath, url)).toBe(true);
    const { masterCreds } = (await openTrustDomain(home)).paths;
    expect(await letsIn(masterCreds, url)).toBe(false);

    const back = await TestPeel.start(fleet, ofSecond.credsPath);
    expect(await remove('--timeout', '20s')).toMatchObject({ code: 0 });
    expect(back.peel.nc.isClosed()).toBe(false);
  });

  it('refuses an unknown master, its own, and the only one that runs', async () => {
    const fleet = await startFleet();
    const home = await secondHome(fleet);
    const remove = (name: string, at = fleet.home.home) =>
      zester(['master', 'remove', name, '--yes', '--home', at, '--servers', ...fleet.servers]);
    expect(await remove('nobody')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('host-b') as string,
    });
    expect(await remove('first')).toMatchObject({ code: 1 });
    expect(await remove('host-b', home)).toMatchObject({ code: 1 });
    await fleet.master.stop();
    await fleet.startMaster({ home });
    const alone = await remove('host-b');
    expect(alone).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('nothing was changed') as string,
    });
  });

  it('removes the first master from the second, with its admin', async () => {
    const fleet = await startFleet();
    const home = await secondHome(fleet);
    const { paths } = await fleet.home.domain();
    const { url } = fleet.home.node(0);
    await fleet.startMaster({ home });
    expect(await letsIn(paths.adminCreds, url)).toBe(true);
    const seed = join(fleet.home.dir, 'account.seed');
    await copyFile(paths.accountSeed, seed);
    const done = await zester(['master', 'remove', 'first', '--now', '--yes', '--home', home]);
    expect(done).toMatchObject({ code: 0 });
    // with the identity seed, the second home gets an admin of its own
    expect(await zester(['peel', 'list', '--home', home])).not.toMatchObject({ code: 0 });
    const admin = ['creds', 'renew', '--admin', '--home', home];
    expect(await zester(admin)).toMatchObject({ code: 1 });
    expect(await zester([...admin, '--account-seed', seed])).toMatchObject({ code: 0 });
    expect(await zester(['peel', 'list', '--home', home])).toMatchObject({ code: 0 });
    expect(await zester([...admin, '--account-seed', seed])).toMatchObject({ code: 1 });
    await fleet.master.stop({ waitMs: 0 });
    for (const path of [paths.masterCreds, paths.adminCreds]) {
      expect(await letsIn(path, url)).toBe(false);
    }
    await expect(connectSystem(await fleet.home.domain(), { servers: fleet.servers })).rejects.toMatchObject({
      code: 'ERR_NATS_SERVER_REFUSED',
    });
  });
});

/** Acts like a thief with the host's signing key of the system account. */
async function renewSystemCreds(domain: TrustDomain): Promise<void> {
  const signer = await loadKeyBundleFromFile('account', domain.paths.systemSigningSeed);
  const user = generateKeyBundle('user');
  const issuerAccount = domain.publicKeys.systemAccount;
  const jwt = createUserJwt(user, signer, { name: 'zester-system', issuerAccount, scoped: true });
  await writeCredsFile(domain.paths.systemCreds, jwt, user.seed);
}
