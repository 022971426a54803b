import { addApiToken, ApiTokens, removeApiToken } from '../../../src/cli/api/token-store.js';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withState } from '../../../src/backup/connect-state.js';
import { createBackup } from '../../../src/backup/create-backup.js';
import { ArchiveWriter } from '../../../src/backup/write-archive.js';
import { auditMessages, bucketValues } from '../../../src/backup/fleet-state.js';
import { checkBackup, restoreFleet, restoreHome } from '../../../src/backup/restore-backup.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { contextOf } from '../../../src/master/context-of.js';
import { FLEET_BUCKET, PEELS_BUCKET } from '../../../src/permissions/names.js';
import { zester } from '../../cli/run-zester.js';
import { waitFor } from '../../support/wait-for.js';
import { snapshot, startHome } from '../trust/support.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, TestPeel, tokenFile } from './peels.js';
import { SEED } from '../../support/refusal.js';

/** A backup of a fleet, and the identity that can restore it. */
class Backup {
  readonly path: string;
  readonly identity: string;
  readonly recipient: string;

  constructor(path: string, identity: string, recipient: string) {
    this.path = path;
    this.identity = identity;
    this.recipient = recipient;
  }

  static async of(fleet: Fleet, name = 'fleet.age'): Promise<Backup> {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const path = join(fleet.home.dir, name);
    await createBackup(fleet.home.home, path, { servers: fleet.servers, recipients: [recipient] });
    return new Backup(path, identity, recipient);
  }

  async restore(fleet: Fleet) {
    const checked = await checkBackup(this.path, [this.identity]);
    expect(checked.unexplained).toEqual([]);
    const home = await restoreHome(checked, fleet.home.home);
    return { home, ...(await restoreFleet(checked, fleet.home.home, { servers: fleet.servers })) };
  }
}

type Part = 'home' | 'registry' | 'account';

/** Stops the masters, kills the server, deletes the state of the server or the home, and starts an empty server. */
async function lose(fleet: Fleet, ...parts: Part[]): Promise<void> {
  for (const master of fleet.masters.splice(0)) await master.stop({ waitMs: 0 });
  const node = fleet.home.node(0);
  await node.kill();
  const server = join(fleet.home.dir, 'server');
  if (parts.includes('registry')) await rm(join(server, 'jetstream'), { recursive: true });
  if (parts.includes('account'))
    for (const name of await readdir(join(server, 'jwt'))) await rm(join(server, 'jwt', name));
  if (parts.includes('home')) await rm(fleet.home.home, { recursive: true });
  await node.start();
}

/** The stored registry, tokens and audit log. */
async function stateOf(fleet: Fleet) {
  return withState(await fleet.home.domain(), { servers: fleet.servers }, async (_nc, store) => {
    const peels = new Map<string, unknown>();
    for await (const { key, text } of bucketValues(store, PEELS_BUCKET)) peels.set(key, JSON.parse(text));
    const tokens = new Map<string, unknown>();
    for await (const { key, text } of bucketValues(store, FLEET_BUCKET)) tokens.set(key, JSON.parse(text));
    const audit: string[] = [];
    for await (const { text } of auditMessages(store)) audit.push(text);
    return { peels, tokens, audit };
  });
}

const newKinds = /"kind":"(backup\.|master\.)/;

describe('the drill: everything is killed, every disk is deleted, and a backup is restored', () => {
  it('brings back all 200 peels but no revoked one, with the registry and audit of the backup', async () => {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    const ids = Array.from({ length: 200 }, (_, i) => `web-${i}`);
    const creds = await Promise.all(ids.map((id) => addCreds(fleet, admin, id, { labels: { env: 'prod' } })));
    const stolen = await addCreds(fleet, admin, 'stolen');
    await tokenFile(fleet, admin, { labels: { env: 'prod' } });
    await admin.ask('peel.revoke', { peelId: 'stolen', reason: 'stolen' });
    const peels = await Promise.all(creds.map((credsPath) => TestPeel.start(fleet, credsPath)));
    for (const id of ids) await fleet.record(id, ({ keys }) => keys[0]?.state === 'live');
    await fleet.record('stolen', ({ keys }) => keys[0]?.state === 'revoked');
    const backup = await Backup.of(fleet);
    const before = await stateOf(fleet);

    await lose(fleet, 'home', 'registry', 'account');
    const restored = await backup.restore(fleet);

    expect(restored).toMatchObject({ home: 'restored', peels: { restored: 201, kept: 0, revoked: [] } });
    const after = await stateOf(fleet);
    expect(after.peels).toEqual(before.peels);
    expect(after.tokens).toEqual(before.tokens);
    const ofBackup = (events: string[]) => events.filter((text) => !/"kind":"backup\./.test(text));
    expect(ofBackup(after.audit)).toEqual(ofBackup(before.audit));

    const master = await fleet.startMaster();
    for (const { peel } of peels) await waitFor('a peel to be connected', () => !peel.nc.isClosed());
    await waitFor('the master to know that all are connected', () =>
      ids.every((id) => contextOf(master).presence.get(id) !== undefined),
    );
    for (const id of ids) expect(contextOf(master).registry.get(id)?.keys[0]?.state).toBe('live');
    expect(contextOf(master).registry.get('web-7')?.labels).toEqual({ env: 'prod' });
    expect(await fleet.home.letsIn(stolen, 'stolen', fleet.home.node(0).url)).toBe(false);
    const kinds = (await fleet.audit()).map(({ kind }) => kind);
    expect(kinds).not.toContain('connection.refused');
    expect(kinds).toContain('backup.restored');
    // and they renew
    await (await fleet.admin()).ask('peel.rotate', { peelId: 'web-7' });
    await fleet.record('web-7', ({ keys }) => keys.some(({ state }) => state === 'revoked'));
  }, 120_000);
});

describe('a peel that was revoked after the backup was made', () => {
  /** `web-01` is in the backup; then it is revoked, and so is `web-02`, but only in the fleet. */
  async function revokedLater() {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    const bad = await addCreds(fleet, admin, 'web-01');
    const good = await addCreds(fleet, admin, 'web-02');
    const backup = await Backup.of(fleet);
    await admin.ask('peel.revoke', { peelId: 'web-01' });
    await fleet.record('web-01', ({ keys }) => keys.every(({ state }) => state === 'revoked'));
    return { fleet, backup, bad, good };
  }

  it.each<[string, Part[]]>([
    ['the registry is lost', ['registry']],
    ['the registry and the home are lost', ['registry', 'home']],
    ['the servers lose everything, and the home is there', ['registry', 'account']],
    ['the home is lost', ['home']],
    ['the home and the account on the servers are lost', ['home', 'account']],
    ['nothing is lost', []],
  ])('stays revoked when %s', async (_what, parts) => {
    const { fleet, backup, bad, good } = await revokedLater();
    await lose(fleet, ...parts);
    await backup.restore(fleet);
    await fleet.startMaster();
    const { url } = fleet.home.node(0);
    if (parts.includes('home') && parts.includes('account')) {
      // only the registry has it: the master pushes it again
      await waitFor(
        'the master to revoke it again',
        async () => !(await fleet.home.letsIn(bad, 'web-01', url)),
      );
    }
    expect(await fleet.home.letsIn(bad, 'web-01', url)).toBe(false);
    await fleet.record('web-01', ({ state, keys }) => state === 'revoked' && keys[0]?.state === 'revoked');
    await fleet.home.peel('web-02', good);
    await fleet.record('web-02', ({ state }) => state === 'active');
  });

  it('returns only if a backup is all that is left, as documented', async () => {
    const { fleet, backup, bad } = await revokedLater();
    await lose(fleet, 'home', 'registry', 'account');
    await backup.restore(fleet);
    expect(await fleet.home.letsIn(bad, 'web-01', fleet.home.node(0).url)).toBe(true);
  });

  it('stays revoked when an older backup is restored after a newer one', async () => {
    const { fleet, backup, bad } = await revokedLater();
    const newer = await Backup.of(fleet, 'newer.age');
    await lose(fleet, 'home', 'registry', 'account');
    await newer.restore(fleet);
    const { peels } = await backup.restore(fleet);
    expect(peels).toMatchObject({ restored: 0, kept: 2 });
    expect(await fleet.home.letsIn(bad, 'web-01', fleet.home.node(0).url)).toBe(false);
  });

  it('stays revoked when a newer backup is restored after an older one', async () => {
    const { fleet, backup, bad } = await revokedLater();
    const newer = await Backup.of(fleet, 'newer.age');
    await lose(fleet, 'home', 'registry', 'account');
    await backup.restore(fleet);
    await newer.restore(fleet);
    await fleet.startMaster();
    expect(await fleet.home.letsIn(bad, 'web-01', fleet.home.node(0).url)).toBe(false);
    await fleet.record('web-01', ({ state }) => state === 'revoked');
  });
});

describe('a restore into a running fleet', () => {
  it('changes nothing that the fleet has, and may be run again', async () => {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    await addCreds(fleet, admin, 'web-01');
    const backup = await Backup.of(fleet);
    await addCreds(fleet, admin, 'web-02');
    const before = await stateOf(fleet);
    for (let time = 1; time <= 2; time += 1) {
      const restored = await backup.restore(fleet);
      expect(restored).toMatchObject({
        home: 'kept',
        peels: { restored: 0, kept: 1 },
        events: { restored: 0 },
      });
    }
    const after = await stateOf(fleet);
    expect(after.peels).toEqual(before.peels);
    expect(after.audit.filter((text) => !newKinds.test(text))).toEqual(
      before.audit.filter((text) => !newKinds.test(text)),
    );
  });

  it('accepts a peel again that a master without its registry mistook for a new one', async () => {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    const creds = await addCreds(fleet, admin, 'web-01');
    await fleet.home.peel('web-01', creds);
    await fleet.record('web-01', ({ state }) => state === 'active');
    const backup = await Backup.of(fleet);
    await lose(fleet, 'registry');
    await fleet.startMaster();
    await fleet.record('web-01', ({ state }) => state === 'pending');
    await backup.restore(fleet);
    await fleet.record('web-01', ({ state }) => state === 'active');
  });

  it('is refused for another trust domain, and for a directory that is not a home', async () => {
    const fleet = await startFleet();
    const backup = await Backup.of(fleet);
    const checked = await checkBackup(backup.path, [backup.identity]);
    const other = await startHome();
    await expect(restoreHome(checked, other.home)).rejects.toMatchObject({ code: 'ERR_BACKUP_OTHER_TRUST' });
    await expect(restoreHome(checked, other.dir)).rejects.toMatchObject({ code: 'ERR_BACKUP_HOME' });
  });
});

describe('a backup file', () => {
  it('is readable by its owner only, shows no seed, and is checked and restored by the commands', async () => {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    await addCreds(fleet, admin, 'web-01');
    const { dir, home } = fleet.home;
    const identity = await generateX25519Identity();
    const key = join(dir, 'key.txt');
    await writeFile(key, `# created: today\n${identity}\n`, { mode: 0o600 });
    const out = join(dir, 'fleet.age');
    const at = ['--home', home, '--servers', ...fleet.servers];
    const made = await zester([
      'backup',
      '-o',
      out,
      '-r',
      await identityToRecipient(identity),
      ...at,
      '--json',
    ]);
    expect(made.code, made.stderr).toBe(0);
    expect(JSON.parse(made.stdout)).toMatchObject({ path: out, peels: 1, skipped: [] });
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    const bytes = (await readFile(out)).toString('latin1');
    expect(bytes).not.toMatch(SEED);
    expect((await zester(['backup', '-o', out, '-r', await identityToRecipient(identity), ...at])).code).toBe(
      1,
    );

    const verified = await zester(['backup', 'verify', out, '-i', key]);
    expect(verified.code, verified.stderr).toBe(0);
    expect(verified.stdout).toContain('is complete');
    expect(verified.stdout).toContain('1 peel, 0 join tokens');

    await lose(fleet, 'home', 'registry', 'account');
    const first = await zester(['restore', out, '-i', key, '--home-only', '--home', home, '--json']);
    expect(first.code, first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toEqual({ home: 'restored' });
    const second = await zester(['restore', out, '-i', key, ...at, '--json']);
    expect(second.code, second.stderr).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({ home: 'kept', peels: { restored: 1 } });
    const doctor = await zester(['doctor', '--integrity', ...at]);
    expect(doctor.stdout + doctor.stderr).not.toMatch(/audit log (has|does)/);
  });

  it('brings back no token of the HTTP interface, which may have been removed since', async () => {
    const fleet = await startFleet();
    const { home } = fleet.home;
    const token = { name: 'gone', role: 'owner', lifetimeSeconds: 600, now: Date.now() } as const;
    const { secret } = await addApiToken(home, token);
    expect(await new ApiTokens(home, Date.now).find(secret)).toMatchObject({ name: 'gone' });
    const backup = await Backup.of(fleet);
    expect(await removeApiToken(home, 'gone')).toBe(true);
    await lose(fleet, 'home');
    await backup.restore(fleet);
    expect(await new ApiTokens(home, Date.now).find(secret)).toBeUndefined();
  });

  it('restores the home, and names the next step, when no server runs', async () => {
    const fleet = await startFleet();
    const backup = await Backup.of(fleet);
    await lose(fleet, 'home');
    await fleet.home.node(0).stop();
    const key = join(fleet.home.dir, 'key.txt');
    await writeFile(key, `${backup.identity}\n`, { mode: 0o600 });
    const { home } = fleet.home;
    const ran = await zester([
      'restore',
      backup.path,
      '-i',
      key,
      '--home',
      home,
      '--servers',
      ...fleet.servers,
    ]);
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain('home: restored');
    expect(await fleet.home.domain()).toBeDefined();
  });

  it('is refused if truncated, changed, encrypted to another key or no backup, and nothing is restored', async () => {
    const fleet = await startFleet();
    const backup = await Backup.of(fleet);
    const { dir } = fleet.home;
    const target = join(dir, 'new-home');
    const { size } = await stat(backup.path);
    const cut = join(dir, 'cut.age');
    await cp(backup.path, cut);
    await truncate(cut, size - 100);
    const changed = join(dir, 'changed.age');
    const bytes = await readFile(backup.path);
    bytes[size - 50] = (bytes[size - 50] ?? 0) ^ 1;
    await writeFile(changed, bytes);
    const none = join(dir, 'none.age');
    await writeFile(none, 'hello');
    const stranger = await generateX25519Identity();
    const cases: [string, string, string][] = [
      [cut, backup.identity, 'ERR_BACKUP_DAMAGED'],
      [changed, backup.identity, 'ERR_BACKUP_DAMAGED'],
      [none, backup.identity, 'ERR_BACKUP_DAMAGED'],
      [backup.path, stranger, 'ERR_BACKUP_IDENTITY'],
      [join(dir, 'missing.age'), backup.identity, 'ERR_FILE_NOT_FOUND'],
    ];
    for (const [path, identity, code] of cases) {
      await expect(checkBackup(path, [identity]), path).rejects.toMatchObject({ code });
    }
    await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
    const key = join(dir, 'open.txt');
    await writeFile(key, `${backup.identity}\n`, { mode: 0o644 });
    const ran = await zester(['backup', 'verify', backup.path, '-i', key]);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain('can be read by others');
    expect(ran.stderr).not.toContain(backup.identity);
  });

  it('is refused when somebody replaces it after it was checked, and nothing of the other file is restored', async () => {
    const fleet = await startFleet();
    await addCreds(fleet, await fleet.admin(), 'web-01');
    const backup = await Backup.of(fleet);
    const checked = await checkBackup(backup.path, [backup.identity]);
    // whoever knows the recipient can encrypt to it
    const by = { kind: 'master', name: 'm' };
    const at = new Date().toISOString();
    const { publicKey } = generateKeyBundle('user');
    const event = { id: 'e1', at, by, kind: 'peel.accepted', peelId: 'mallory', number: 1 };
    const keys = [{ publicKey, state: 'issued' }];
    const record = { id: 'mallory', state: 'active', keys, number: 1, createdAt: at, updatedAt: at };
    const forged = await ArchiveWriter.open(backup.path, [backup.recipient], checked.header);
    await forged.value('peels', 'mallory', JSON.stringify({ record, event }));
    const key = generateKeyBundle('user');
    await forged.finish({
      key,
      jwt: createUserJwt(key, generateKeyBundle('account'), { name: 'zester-master' }),
    });
    const { home, dir } = fleet.home;
    const refused = { code: 'ERR_BACKUP_DAMAGED', message: expect.stringContaining('changed') as string };
    await expect(restoreFleet(checked, home, { servers: fleet.servers })).rejects.toMatchObject(refused);
    expect([...(await stateOf(fleet)).peels.keys()]).toEqual(['web-01']);
    await expect(restoreHome(checked, join(dir, 'new-home'))).rejects.toMatchObject(refused);
  });

  it('is refused if it is of another operator than the one that is named', async () => {
    const fleet = await startFleet();
    const backup = await Backup.of(fleet);
    const { dir } = fleet.home;
    const key = join(dir, 'key.txt');
    await writeFile(key, `${backup.identity}\n`, { mode: 0o600 });
    const target = join(dir, 'new-home');
    const restore = (operator: string) =>
      zester([
        ...['restore', backup.path, '-i', key, '--home-only'],
        ...['--home', target, '--operator', operator],
      ]);
    const refused = await restore(generateKeyBundle('operator').publicKey);
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('ERR_BACKUP_OTHER_TRUST')]);
    await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
    const done = await restore((await fleet.home.domain()).publicKeys.operator);
    expect(done.code, done.stderr).toBe(0);
  });

  it('does not replace a complete home whose restore was interrupted at the very end', async () => {
    const fleet = await startFleet();
    const { home } = fleet.home;
    await mkdir(join(home, '.restoring'), { mode: 0o700 });
    const other = await Backup.of(await startFleet());
    const before = await snapshot(home);
    const checked = await checkBackup(other.path, [other.identity]);
    await expect(restoreHome(checked, home)).rejects.toMatchObject({ code: 'ERR_BACKUP_OTHER_TRUST' });
    expect(await snapshot(home)).toEqual(before);
  });

  it('contains no earlier backup, so that a backup written into the home does not grow', async () => {
    const fleet = await startFleet();
    const { home } = fleet.home;
    // of an earlier version, which included its predecessors
    await mkdir(join(home, 'backups'), { mode: 0o700 });
    await writeFile(join(home, 'backups/old.age'), 'age-encryption.org/v1\n-> X25519 abc\n');
    await truncate(join(home, 'backups/old.age'), 300 * 1024 * 1024);
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const at = ['--home', home, '--servers', ...fleet.servers];
    const backups = [];
    for (const name of ['1.age', '2.age', '3.age']) {
      const path = join(home, 'backups', name);
      const made = await zester(['backup', '--out', path, '-r', recipient, '--json', ...at]);
      expect(made.code, made.stderr).toBe(0);
      expect(made.stderr).toMatch(/backups\/old\.age is not in the backup: it is .*an age file/);
      backups.push(JSON.parse(made.stdout) as { files: number; skipped: string[] });
    }
    expect(backups.map(({ skipped }) => skipped)).toEqual([
      ['backups/old.age'],
      ['backups/1.age', 'backups/old.age'],
      ['backups/1.age', 'backups/2.age', 'backups/old.age'],
    ]);
    expect(new Set(backups.map(({ files }) => files)).size).toBe(1);
    const checked = await checkBackup(join(home, 'backups/3.age'), [identity]);
    expect(await restoreHome(checked, join(fleet.home.dir, 'new-home'))).toBe('restored');
  });

  it('is absent if it could not be completed', async () => {
    const fleet = await startFleet();
    await fleet.master.stop();
    await fleet.home.node(0).stop();
    const path = join(fleet.home.dir, 'fleet.age');
    const recipients = [await identityToRecipient(await generateX25519Identity())];
    await expect(
      createBackup(fleet.home.home, path, { servers: fleet.servers, recipients }),
    ).rejects.toThrow();
    expect((await readdir(fleet.home.dir)).filter((name) => name.includes('fleet.age'))).toEqual([]);
  });
});
