// A message with the header `Nats-Rollup` replaces others: a publisher must not be able to empty the fleet's streams.
import { jetstream, jetstreamManager, JetStreamApiError, StorageType } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { headers, nanos, type NatsConnection } from '@nats-io/transport-node';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectMaster } from '../../../src/connection/connect.js';
import { examine } from '../../../src/doctor/examine.js';
import { migrate, planMigration } from '../../../src/account/migrate.js';
import { exportIdentity } from '../../../src/trust/keys/export-identity.js';
import { zester } from '../../cli/run-zester.js';
import { contextOf } from '../../../src/master/context-of.js';
import { atEnd } from '../../support/cleanup.js';
import { startHome } from '../trust/support.js';
import { addPeel, connectUser, createToken } from './asking.js';
import { Fleet, startFleet, startFleetCluster } from './fleet.js';

/** A publishable subject of each stream. */
const SUBJECTS = [
  ['KV_zester-peels', '$KV.zester-peels.x'],
  ['KV_zester-fleet', '$KV.zester-fleet.x'],
  ['KV_zester-challenges', '$KV.zester-challenges.x'],
  ['KV_zester-presence', '$KV.zester-presence.x'],
  ['zester-audit', 'zester.audit.x.key.issued'],
] as const;
const BUCKETS = ['zester-peels', 'zester-fleet', 'zester-challenges', 'zester-presence'];
/** "rollup not permitted" */
const ROLLUP_REFUSED = 10_111;

/**
 * Publishes a roll-up, like an attacker.
 *
 * @returns the code of the refusal; undefined: it was stored
 */
async function rollUp(nc: NatsConnection, subject: string, what: 'all' | 'sub'): Promise<number | undefined> {
  const all = headers();
  all.set('Nats-Rollup', what);
  try {
    await jetstream(nc).publish(subject, '', { headers: all });
    return undefined;
  } catch (error) {
    if (error instanceof JetStreamApiError) return error.code;
    throw error;
  }
}

async function asMaster(fleet: Fleet): Promise<NatsConnection> {
  const { paths } = await fleet.home.domain();
  const nc = await connectMaster({ servers: fleet.servers, credsPath: paths.masterCreds });
  atEnd(() => nc.close());
  return nc;
}

async function recordsOf(fleet: Fleet, stream = 'KV_zester-peels'): Promise<Record<string, number>> {
  const jsm = await jetstreamManager(contextOf(fleet.master).nc);
  const { state } = await jsm.streams.info(stream, { subjects_filter: '>' });
  return state.subjects ?? {};
}

describe('the streams of a fleet', () => {
  let fleet: Fleet;
  let thief: NatsConnection;

  beforeAll(async () => {
    fleet = await startFleet({ policy: 'auto-trusted', lifetime: 900 });
    const admin = await fleet.admin();
    for (const id of ['web-01', 'web-02']) {
      await addPeel(fleet, admin, id);
      await fleet.record(id, ({ state }) => state === 'active');
    }
    await createToken(admin, fleet);
    thief = await asMaster(fleet);
  });

  it.each(SUBJECTS)(
    "refuse a roll-up of %s by someone with a master's stolen credentials",
    async (stream, subject) => {
      const before = await recordsOf(fleet, stream);
      for (const what of ['all', 'sub'] as const) {
        expect(await rollUp(thief, subject, what)).toBe(ROLLUP_REFUSED);
      }
      // masters may add messages in the meantime, but none may vanish
      expect(await recordsOf(fleet, stream)).toMatchObject(
        Object.fromEntries(Object.keys(before).map((key) => [key, expect.any(Number) as number])),
      );
    },
  );

  it('cannot be emptied by a user with all permissions in the account', async () => {
    const nc = await connectUser(fleet, 'owner', undefined);
    const jsm = await jetstreamManager(nc);
    const before = await recordsOf(fleet);
    for (const [stream, subject] of SUBJECTS) {
      expect(await rollUp(nc, subject, 'all')).toBe(ROLLUP_REFUSED);
      await expect(jsm.streams.purge(stream)).rejects.toThrow(/purge not permitted/);
      await expect(jsm.streams.deleteMessage(stream, 1)).rejects.toThrow(/delete not permitted/);
      // a server does not allow turning it off
      await expect(jsm.streams.update(stream, { deny_purge: false })).rejects.toThrow(/can not cancel/);
      await expect(jsm.streams.update(stream, { deny_delete: false })).rejects.toThrow(/can not cancel/);
    }
    expect(await recordsOf(fleet)).toEqual(before);
  });

  it('let masters delete join tokens', async () => {
    const second = await fleet.startMaster();
    const { tokens } = contextOf(fleet.master);
    const [[id = ''] = []] = [...tokens.entries()];
    expect(contextOf(second).tokens.get(id)).toBeDefined();
    await tokens.delete(id);
    expect(tokens.get(id)).toBeUndefined();
    await expect.poll(() => contextOf(second).tokens.get(id)).toBeUndefined();
    expect(await contextOf(second).tokens.refresh(id)).toBeUndefined();
  });
});

/** A home whose account has the streams of an earlier version. */
async function olderFleet(fleet?: Fleet): Promise<Fleet> {
  const replicas = fleet === undefined ? 1 : 3;
  fleet ??= new Fleet(await startHome());
  const kvm = new Kvm(await connectUser(fleet, 'earlier-version', undefined));
  for (const name of BUCKETS) {
    const history = name === 'zester-peels' ? 16 : 1;
    const ttl = name === 'zester-challenges' ? 300_000 : 0;
    await kvm.create(name, { history, ttl, storage: StorageType.File, replicas, allow_direct: false });
  }
  return fleet;
}

describe('the streams of a fleet that an earlier version made', () => {
  const servers = (fleet: Fleet) => ['--home', fleet.home.home, '--servers', ...fleet.servers];
  const aboutStreams = async (fleet: Fleet) =>
    (await examine(fleet.home.home, { servers: fleet.servers })).server
      .filter(({ check }) => check === 'stream')
      .map(({ subject, severity, fix }) => ({
        subject,
        severity,
        names: fix?.includes('permissions migrate'),
      }));

  it('are guarded by one command, which keeps their records and settings', async () => {
    const fleet = await olderFleet();
    const nc = await asMaster(fleet);
    // the hole is there before
    for (const key of ['a', 'b']) await jetstream(nc).publish(`$KV.zester-challenges.${key}`, '');
    expect(await rollUp(nc, '$KV.zester-challenges.x', 'all')).toBeUndefined();
    await fleet.startMaster({ policy: 'auto-trusted', lifetime: 900 });
    const admin = await fleet.admin();
    for (const id of ['web-01', 'web-02']) {
      await addPeel(fleet, admin, id);
      await fleet.record(id, ({ state }) => state === 'active');
    }
    const left = Object.keys(await recordsOf(fleet, 'KV_zester-challenges'));
    expect(left).toContain('$KV.zester-challenges.x');
    expect(left).not.toContain('$KV.zester-challenges.a');
    expect(await aboutStreams(fleet)).toEqual(
      [...BUCKETS].sort().map((name) => ({ subject: `KV_${name}`, severity: 'warning', names: true })),
    );
    const before = await recordsOf(fleet);
    const jsm = await jetstreamManager(contextOf(fleet.master).nc);
    const { config: old } = await jsm.streams.info('KV_zester-challenges');
    expect(old.max_age).toBe(nanos(300_000));

    const dry = await zester(['permissions', 'migrate', '--dry-run', ...servers(fleet)]);
    expect(dry.stdout).toContain('stream KV_zester-peels: to be guarded');
    expect(dry.stderr).toContain('upgrade all masters first');
    const { code, stdout, stderr } = await zester([
      'permissions',
      'migrate',
      '--yes',
      '--json',
      ...servers(fleet),
    ]);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('upgrade all masters first');
    expect(JSON.parse(stdout)).toMatchObject({
      streams: [...BUCKETS].sort().map((name) => `KV_${name}`),
      remaining: [],
    });

    expect(await aboutStreams(fleet)).toEqual([]);
    for (const [, subject] of SUBJECTS) expect(await rollUp(nc, subject, 'all')).toBe(ROLLUP_REFUSED);
    expect(await recordsOf(fleet)).toEqual(before);
    const { config } = await jsm.streams.info('KV_zester-challenges');
    expect(config).toEqual({
      ...old,
      allow_rollup_hdrs: false,
      deny_purge: true,
      deny_delete: true,
      // metadata that the server adds
      metadata: config.metadata,
    });
    // the master continues, and nothing is left to migrate
    await addPeel(fleet, admin, 'web-03');
    await fleet.record('web-03', ({ state }) => state === 'active');
    expect(await migrate(fleet.home.home, fleet.home.options)).toMatchObject({
      streams: { guarded: [], failed: [] },
      waitingStreams: [],
    });
  });

  it('wait for the identity seed where it is offline', async () => {
    const fleet = await olderFleet();
    const usb = join(fleet.home.dir, 'usb');
    await mkdir(usb, { mode: 0o700 });
    await exportIdentity(fleet.home.home, usb);
    const args = ['permissions', 'migrate', '--yes', '--json', ...servers(fleet)];
    const first = await zester(args);
    expect(first.code).toBe(1);
    const { remaining } = JSON.parse(first.stdout) as { remaining: { what: string; fix: string }[] };
    expect(remaining.filter(({ what }) => what.startsWith('the stream KV_'))).toHaveLength(4);
    expect(remaining[0]?.fix).toContain('--account-seed');
    expect((await planMigration(fleet.home.home, fleet.home.options)).unguarded).toHaveLength(4);

    const done = await migrate(fleet.home.home, {
      ...fleet.home.options,
      accountSeed: join(usb, 'account.seed'),
    });
    expect(done.streams).toMatchObject({ guarded: { length: 4 }, failed: [] });
    expect((await planMigration(fleet.home.home, fleet.home.options)).unguarded).toEqual([]);
  });

  it('are guarded in a cluster with a server down', async () => {
    const fleet = await olderFleet(await startFleetCluster());
    await fleet.startMaster({ policy: 'auto-trusted', lifetime: 900 });
    await fleet.home.node(2).stop();
    const servers = fleet.servers.slice(0, 2);
    const { streams } = await migrate(fleet.home.home, { servers });
    expect(streams).toMatchObject({ guarded: { length: 4 }, failed: [] });
    await fleet.home.node(2).start();
    await expect
      .poll(async () => (await planMigration(fleet.home.home, { servers: fleet.servers })).unguarded, {
        timeout: 30_000,
      })
      .toEqual([]);
    const nc = await asMaster(fleet);
    for (const [, subject] of SUBJECTS) expect(await rollUp(nc, subject, 'all')).toBe(ROLLUP_REFUSED);
  });
});
