import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bootstrapPeelCreds } from '../../../src/creds/bootstrap.js';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import type { ScopedSigningKeyClaim } from '../../../src/jwt/claims.js';
import { resignAccountJwt } from '../../../src/jwt/resign.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { checkServers } from '../../../src/doctor/check-server.js';
import { examine, type Examination } from '../../../src/doctor/examine.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { adminUserJwtOptions } from '../../../src/permissions/roles.js';
import { roleTemplate } from '../../../src/permissions/secure-template.js';
import { createTrustDomain } from '../../../src/trust/create/create.js';
import type { TrustDomain } from '../../../src/trust/domain.js';
import type { Finding } from '../../../src/trust/finding.js';
import { openTrustDomain } from '../../../src/trust/open.js';
import { zester } from '../../cli/run-zester.js';
import { freePort } from '../../support/free-port.js';
import { tempDir } from '../../support/temp-dir.js';
import { withoutJoinKey } from '../../trust/older-home.js';
import { belowRange, noCluster } from '../../support/nats-servers.js';
import { snapshot, startHome, startHomeCluster, type HomeWithServers } from './support.js';

const DAY_MS = 86_400_000;

/** The findings that are not "ok", except for an old server version (see servers.test.ts). */
function wrong(found: Examination): Finding[] {
  return [...found.home, ...found.server, ...found.credentials].filter(
    ({ severity, check }) => severity !== 'ok' && !(belowRange && check === 'version'),
  );
}

/** Expects exactly one problem, with a fix. */
function expectOne(found: Examination, expected: Partial<Record<keyof Finding, unknown>>): void {
  expect(wrong(found)).toEqual([expect.objectContaining(expected)]);
}

async function newDomain(): Promise<TrustDomain> {
  return createTrustDomain(join(await tempDir(), 'home'));
}

describe('the doctor finds, in a home,', () => {
  it('nothing where nothing is wrong, and changes nothing', async () => {
    const domain = await newDomain();
    const before = await snapshot(domain.home);
    const found = await examine(domain.home, { offline: true });
    expect(wrong(found)).toEqual([]);
    expect(new Set(found.home.map(({ check }) => check))).toEqual(
      new Set([
        'ed25519',
        'mode',
        'complete',
        'key',
        'permissions',
        'expiry',
        'chain',
        'jetstream',
        'migration',
        'renewal',
      ]),
    );
    expect(await snapshot(domain.home)).toEqual(before);
  });

  it('a seed that others can read, and suggests chmod', async () => {
    const { home, paths } = await newDomain();
    await chmod(paths.adminCreds, 0o644);
    expectOne(await examine(home, { offline: true }), {
      severity: 'error',
      check: 'mode',
      subject: paths.adminCreds,
      message: expect.stringContaining(`chmod 600 ${paths.adminCreds}`),
    });
  });

  it('a home that others can write', async () => {
    const { home } = await newDomain();
    await chmod(home, 0o777);
    const found = wrong(await examine(home, { offline: true }));
    expect(found).toEqual([expect.objectContaining({ check: 'mode', code: 'ERR_TRUST_HOME_EXPOSED' })]);
  });

  it('a missing file, by its name', async () => {
    const { home, paths } = await newDomain();
    await rm(paths.accountJwt);
    expectOne(await examine(home, { offline: true }), {
      check: 'complete',
      message: expect.stringContaining(paths.accountJwt),
    });
  });

  it('that there is none', async () => {
    const home = join(await tempDir(), 'home');
    expectOne(await examine(home, { offline: true }), { code: 'ERR_TRUST_NOT_FOUND' });
  });

  it('another key’s seed, and treats missing identity seeds as offline', async () => {
    const { home, paths } = await newDomain();
    await rm(paths.operatorSeed);
    await rm(paths.accountSeed);
    expect(wrong(await examine(home, { offline: true }))).toEqual([]);
    await generateKeyBundle('account').saveSeedToFile(paths.peelSigningSeed);
    expect(wrong(await examine(home, { offline: true }))).toEqual([
      expect.objectContaining({ check: 'key', subject: 'peel signing key', severity: 'error' }),
    ]);
  });

  it('a missing signing key for join tokens, or a missing seed, as a warning, since everything else works', async () => {
    const { home, paths } = await newDomain();
    await rm(paths.joinSigningSeed);
    const warning = { check: 'key', subject: 'join signing key', severity: 'warning' };
    expectOne(await examine(home, { offline: true }), {
      ...warning,
      message: expect.stringContaining(paths.joinSigningSeed),
    });
    await withoutJoinKey(home);
    expectOne(await examine(home, { offline: true }), {
      ...warning,
      message: expect.stringContaining('zester keys add join-signing'),
    });
  });

  it('a join-token signing key that the account lacks, or whose template allows more', async () => {
    const { home, paths, publicKeys } = await newDomain();
    const template = async (change: (key: ScopedSigningKeyClaim) => ScopedSigningKeyClaim[]) => {
      const domain = await openTrustDomain(home);
      const jwt = resignAccountJwt(domain.accountJwt, await domain.operatorSigningKey(), (claims) => ({
        ...claims,
        nats: {
          ...claims.nats,
          signing_keys: (claims.nats.signing_keys ?? []).flatMap((key) =>
            typeof key !== 'string' && key.key === publicKeys.joinSigning ? change(key) : [key],
          ),
        },
      }));
      await writeFile(paths.accountJwt, jwt);
      return examine(home, { offline: true });
    };
    const expected = { check: 'template', severity: 'error', subject: publicKeys.joinSigning };
    for (const wider of [
      { pub: { allow: ['zester.enroll.>'] } },
      { pub: {} },
      { sub: { allow: ['_INBOX.{{name()}}.>', 'zester.cmd.{{name()}}'] } },
      { resp: { max: 1, ttl: 1 } },
    ]) {
      const found = await template((key) => [{ ...key, template: { ...key.template, ...wider } }]);
      expectOne(found, { ...expected, message: expect.stringContaining('more than request to join') });
      await template((key) => [{ ...key, template: roleTemplate('join') }]);
    }
    expectOne(await template(() => []), {
      ...expected,
      fix: expect.stringContaining('zester keys add join-signing'),
    });
    const { code } = await zester(['keys', 'add', 'join-signing', '--no-push', '--home', home]);
    expect(code).toBe(0);
    expect(wrong(await examine(home, { offline: true }))).toEqual([]);
  });

  it('credentials of another operator, and ones that expire', async () => {
    const domain = await newDomain();
    const other = await newDomain();
    await writeFile(domain.paths.adminCreds, await readFile(other.paths.adminCreds), { mode: 0o600 });
    expectOne(await examine(domain.home, { offline: true }), {
      check: 'chain',
      subject: domain.paths.adminCreds,
    });
    const user = generateKeyBundle('user');
    const account = await domain.accountKey();
    const jwt = createUserJwt(user, account, adminUserJwtOptions(account.publicKey, { expiry: 3 * 86_400 }));
    await writeCredsFile(domain.paths.adminCreds, jwt, user.seed);
    const expiring = { check: 'expiry', subject: domain.paths.adminCreds };
    expectOne(await examine(domain.home, { offline: true }), { ...expiring, severity: 'warning' });
    const later = () => Date.now() + 4 * DAY_MS;
    expectOne(await examine(domain.home, { offline: true, now: later }), { ...expiring, severity: 'error' });
  });
});

describe('the doctor finds, of streams,', () => {
  it('one that acknowledges peels’ messages, until that is turned off', async () => {
    const fleet = await startHome();
    const account = await (await fleet.domain()).accountKey();
    const path = join(fleet.dir, 'service.creds');
    const user = generateKeyBundle('user');
    const everything = { publish: { allow: ['>'] }, subscribe: { allow: ['>'] } };
    const jwt = createUserJwt(user, account, { name: 'service', permissions: everything });
    await writeCredsFile(path, jwt, user.seed);
    const nc = await connect({ servers: fleet.servers, ...(await loadCredsFile(path)).natsOption() });
    const { streams } = await jetstreamManager(nc);
    await streams.add({ name: 'EVENTS', subjects: ['zester.event.>'] });
    const found = async () => (await examine(fleet.home, { servers: fleet.servers })).server;
    expect(await found()).toContainEqual(
      expect.objectContaining({ severity: 'error', check: 'stream', subject: 'EVENTS' }),
    );
    await streams.update('EVENTS', { no_ack: true });
    expect((await found()).filter(({ check }) => check === 'stream')).toEqual([]);
    await nc.close();
  });
});

describe('the doctor finds, of users that are connected,', () => {
  it('one whose own JWT has responses', async () => {
    const fleet = await startHome();
    const account = await (await fleet.domain()).accountKey();
    const path = join(fleet.dir, 'legacy.creds');
    await bootstrapPeelCreds(account, 'legacy-01', path, {
      permissions: { extend: { responses: { max: 1, ttl: 300 } } },
    });
    const nc = await connect({ servers: fleet.servers, ...(await loadCredsFile(path)).natsOption() });
    const { server } = await examine(fleet.home, { servers: fleet.servers });
    expect(server).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        check: 'migration',
        subject: expect.stringContaining('legacy-01'),
        message: expect.stringContaining('has responses'),
      }),
    );
    await nc.close();
  });
});

describe('the doctor finds, in credentials,', () => {
  it('another operator’s, an expired one, one that others can read, and one that reads others’ replies', async () => {
    const domain = await newDomain();
    const dir = await tempDir();
    const account = await domain.accountKey();
    const check = (path: string, now = Date.now) =>
      examine(domain.home, { offline: true, credentials: [path], now });
    const good = join(dir, 'good.creds');
    await domain.issuePeel('web-01', good, { expiry: 30 * 86_400 });
    expect(wrong(await check(good))).toEqual([]);
    expectOne(await check(good, () => Date.now() + 31 * DAY_MS), { check: 'expiry', severity: 'error' });
    await chmod(good, 0o640);
    expectOne(await check(good), { check: 'mode', code: 'ERR_TRUST_SECRET_EXPOSED' });

    const foreign = join(dir, 'foreign.creds');
    await (await newDomain()).issuePeel('web-01', foreign);
    expectOne(await check(foreign), { check: 'chain', severity: 'error' });

    const wide = join(dir, 'wide.creds');
    await bootstrapPeelCreds(account, 'web-01', wide, {
      permissions: {
        replace: {
          publish: { allow: ['zester.fact.web-01'] },
          subscribe: { allow: ['_INBOX.>', 'zester.cmd.web-01'] },
        },
      },
    });
    expectOne(await check(wide), { check: 'permissions', message: expect.stringContaining('shared-inbox') });

    const large = join(dir, 'large.creds');
    const user = generateKeyBundle('user');
    const allow = Array.from({ length: 70 }, (_, i) => `zester.event.web-01.some.thing.that.is.long.${i}`);
    const jwt = createUserJwt(user, account, {
      name: 'web-01',
      permissions: { publish: { allow }, subscribe: { allow: ['zester.cmd.web-01'] } },
      maxBytes: Infinity,
    });
    await writeCredsFile(large, jwt, user.seed);
    expectOne(await check(large), { check: 'size', fix: expect.stringContaining('max_control_line') });
    expectOne(await check(join(dir, 'none.creds')), { check: 'file', code: 'ERR_FILE_NOT_FOUND' });
  });
});

describe('the doctor finds, of a server,', () => {
  let home: HomeWithServers;

  beforeAll(async () => {
    home = await startHome();
  });

  it('that all is well, and checks credentials against its max_control_line', async () => {
    const { path } = await home.issue('web-01');
    const found = await examine(home.home, { servers: home.servers, credentials: [path] });
    expect(wrong(found)).toEqual([]);
    expect(found.server.map(({ check }) => check)).toEqual([
      'reachable',
      'jetstream',
      'clock',
      ...(belowRange ? ['version'] : []),
      'account',
      'master',
    ]);
    expect(found.credentials.find(({ check }) => check === 'size')?.message).toContain('4096');
  });

  it('that it cannot be reached: exit code 4', async () => {
    const url = `nats://127.0.0.1:${await freePort()}`;
    expectOne(await examine(home.home, { servers: [url] }), { code: 'ERR_NATS_SERVER_UNREACHABLE' });
    const { code, stdout, stderr } = await zester(['doctor', '--home', home.home, '--servers', url]);
    expect(code).toBe(4);
    expect(stdout).toContain('1 error,');
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('a server that trusts another operator: exit code 3', async () => {
    const other = await newDomain();
    expectOne(await examine(other.home, { servers: home.servers }), { code: 'ERR_NATS_SERVER_REFUSED' });
    const result = await zester(['doctor', '--home', other.home, '--servers', ...home.servers, '--json']);
    expect(result.code).toBe(3);
    expect(JSON.parse(result.stdout)).toMatchObject({ ok: false, errors: 1 });
  });

  it('that there are no credentials for it', async () => {
    const { paths } = await home.domain();
    await rename(paths.systemCreds, `${paths.systemCreds}.away`);
    try {
      const found = wrong(await examine(home.home, { servers: home.servers }));
      expect(found).not.toEqual([]);
      expect(found[0]?.message).toContain(paths.systemCreds);
    } finally {
      await rename(`${paths.systemCreds}.away`, paths.systemCreds);
    }
  });

  it('that its clock differs', async () => {
    const domain = await home.domain();
    for (const [off, severity, words] of [
      [10_000, 'warning', 'behind'],
      [-300_000, 'error', 'ahead of'],
    ] as const) {
      const { findings } = await checkServers(domain, { servers: home.servers, now: () => Date.now() + off });
      const clock = findings.find(({ check }) => check === 'clock');
      expect(clock).toMatchObject({ severity, message: expect.stringContaining(words) as string });
      expect(clock?.fix).toContain('NTP');
    }
  });

  it('that its account JWT differs from the home’s', async () => {
    const { paths } = await home.domain();
    const before = await readFile(paths.accountJwt);
    const other = await createTrustDomain(join(await tempDir(), 'home'));
    expect(other.accountJwt).not.toBe('');
    const domain = await home.domain();
    const signer = await domain.operatorSigningKey();
    const changed = resignAccountJwt(domain.accountJwt, signer, (claims) => ({ ...claims, name: 'renamed' }));
    await writeFile(paths.accountJwt, changed);
    try {
      expectOne(await examine(home.home, { servers: home.servers }), {
        check: 'account',
        fix: expect.stringContaining('zester account push'),
      });
    } finally {
      await writeFile(paths.accountJwt, before);
    }
  });
});

describe.skipIf(noCluster)('the doctor finds, of a cluster,', () => {
  it('each server by its name, and the one that is down', async () => {
    const cluster = await startHomeCluster();
    const well = await examine(cluster.home, { servers: cluster.servers });
    expect(wrong(well)).toEqual([]);
    expect(well.server.filter(({ check }) => check === 'clock').map(({ subject }) => subject)).toEqual([
      'n1',
      'n2',
      'n3',
    ]);
    await cluster.node(2).stop();
    const found = await examine(cluster.home, { servers: cluster.servers });
    expect(wrong(found)).toEqual([
      expect.objectContaining({ severity: 'warning', check: 'reachable', subject: 'n3' }),
    ]);
  });
});
