import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { loadKeyBundleFromFile } from '../../../src/creds/load-key-bundle.js';
import { validateJwtChain } from '../../../src/jwt/chain.js';
import { decodeAccountJwt, decodeOperatorJwt } from '../../../src/jwt/decode.js';
import { permissionClaims } from '../../../src/jwt/permission-options.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { labelOf } from '../../../src/permissions/master-label.js';
import { joinPermissionsTemplate, peelPermissionsTemplate } from '../../../src/permissions/roles.js';
import { createTrustDomain } from '../../../src/trust/create/create.js';
import { exportIdentity } from '../../../src/trust/keys/export-identity.js';
import { isMasterOf } from '../../../src/protocol/is-master.js';
import { openTrustDomain } from '../../../src/trust/open.js';
import { renewOwnCreds } from '../../../src/trust/own-creds.js';
import { trustPaths } from '../../../src/trust/paths.js';
import { tempDir } from '../../support/temp-dir.js';
import { withoutJoinKey } from '../older-home.js';
import { SEED } from '../../support/refusal.js';

/** Without the lock, in which every command leaves a ticket. */
async function filesOf(home: string): Promise<string[]> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(home.length + 1))
    .filter((name) => !name.startsWith('lock/'))
    .sort();
}

async function contentsOf(home: string): Promise<Record<string, string>> {
  const names = await filesOf(home);
  const texts = await Promise.all(names.map((name) => readFile(join(home, name), 'utf8')));
  return Object.fromEntries(names.map((name, i) => [name, texts[i] ?? '']));
}

/** The files in order of creation. */
async function stepsOf(): Promise<string[]> {
  const home = await tempDir();
  const steps: string[] = [];
  await createTrustDomain(home, { onStep: ({ path }) => steps.push(path.slice(home.length + 1)) });
  return steps;
}

describe('the servers of a new trust domain', () => {
  it('are a list where they are a string with commas', async () => {
    const domain = await createTrustDomain(await tempDir(), { servers: 'nats://n1, tls://n2' });
    expect(domain.servers).toEqual(['nats://n1:4222', 'tls://n2:4222']);
  });

  it.each([
    { servers: ['wss://n1'] },
    { servers: 'nats://svc:hunter2@n1' },
    { servers: 'n1', requireTls: true },
  ])('are refused before there is a home: %j', async (options) => {
    const home = join(await tempDir(), 'home');
    await expect(createTrustDomain(home, options)).rejects.toMatchObject({ name: 'ConnectError' });
    await expect(stat(home)).rejects.toThrow('ENOENT');
  });
});

describe('creating a trust domain', () => {
  it('lays out the home as designed', async () => {
    const home = await tempDir();
    await createTrustDomain(home);
    expect(await filesOf(home)).toEqual([
      'creds/admin.creds',
      'creds/master-answers.creds',
      'creds/master.creds',
      'creds/system.creds',
      'jwt/account.jwt',
      'jwt/operator.jwt',
      'jwt/system.jwt',
      'keys/account.seed',
      'keys/admin-signing.seed',
      'keys/answers-signing.seed',
      'keys/join-signing.seed',
      'keys/master-signing.seed',
      'keys/operator-signing.seed',
      'keys/operator.seed',
      'keys/peel-signing.seed',
      'keys/system-signing.seed',
      'zester.json',
    ]);
  });

  it('creates directories 0700 and files 0600 under any umask', async () => {
    const umask = process.umask(0);
    try {
      const home = join(await tempDir(), 'a', 'home');
      await createTrustDomain(home);
      const directories = [home, dirname(home), ...['jwt', 'keys', 'creds'].map((name) => join(home, name))];
      for (const path of directories) expect((await stat(path)).mode & 0o777, path).toBe(0o700);
      for (const name of await filesOf(home)) {
        expect((await stat(join(home, name))).mode & 0o777, name).toBe(0o600);
      }
    } finally {
      process.umask(umask);
    }
  });

  it('creates a valid chain for the master, the admin and the system account', async () => {
    const domain = await createTrustDomain(await tempDir());
    const { paths, operatorJwt, accountJwt, systemAccountJwt } = domain;
    const master = await loadCredsFile(paths.masterCreds);
    const admin = await loadCredsFile(paths.adminCreds);
    const system = await loadCredsFile(paths.systemCreds);
    expect(() => validateJwtChain(operatorJwt, accountJwt, master.jwt)).not.toThrow();
    expect(() => validateJwtChain(operatorJwt, accountJwt, admin.jwt)).not.toThrow();
    expect(() => validateJwtChain(operatorJwt, systemAccountJwt, system.jwt)).not.toThrow();
    expect([master, admin, system].map((creds) => creds.claims.name)).toEqual([
      'zester-master',
      'zester-admin',
      'zester-system',
    ]);
  });

  it('has accounts signed by the operator’s signing key, so that its identity can go offline', async () => {
    const domain = await createTrustDomain(await tempDir());
    const { publicKeys } = domain;
    const operator = decodeOperatorJwt(domain.operatorJwt);
    expect(operator.iss).toBe(publicKeys.operator);
    expect(operator.nats.signing_keys).toEqual([publicKeys.operatorSigning]);
    expect(operator.nats.system_account).toBe(publicKeys.systemAccount);
    expect(decodeAccountJwt(domain.accountJwt).iss).toBe(publicKeys.operatorSigning);
    expect(decodeAccountJwt(domain.systemAccountJwt).iss).toBe(publicKeys.operatorSigning);
  });

  it('gives the account JetStream and the scoped signing keys "peel" and "join", each with its template', async () => {
    const domain = await createTrustDomain(await tempDir(), { credsLifetime: 0 });
    const { nats } = decodeAccountJwt(domain.accountJwt);
    expect(nats.limits).toMatchObject({ mem_storage: -1, disk_storage: -1 });
    expect(nats.signing_keys).toMatchObject([
      {
        kind: 'user_scope',
        role: 'peel',
        key: domain.publicKeys.peelSigning,
        template: permissionClaims(peelPermissionsTemplate()),
      },
      {
        kind: 'user_scope',
        role: 'join',
        description: 'what a join token may do',
        key: domain.publicKeys.joinSigning,
        template: { ...permissionClaims(joinPermissionsTemplate()), payload: 16_384, subs: 10, data: -1 },
      },
    ]);
  });

  it('stores the seed of the system account nowhere', async () => {
    const domain = await createTrustDomain(await tempDir());
    const { claims } = await loadCredsFile(domain.paths.systemCreds);
    expect(claims.nats.issuer_account).toBe(domain.publicKeys.systemAccount);
    const contents = await contentsOf(domain.home);
    for (const [name, content] of Object.entries(contents))
      expect(content, name).not.toMatch(/\bSA[A-Z2-7]{56}\b.*SA[A-Z2-7]{56}/s);
    const accountSeeds = Object.entries(contents).filter(([, content]) => /\bSA[A-Z2-7]{56}\b/.test(content));
    expect(accountSeeds.map(([name]) => name).sort()).toEqual([
      'keys/account.seed',
      'keys/admin-signing.seed',
      'keys/answers-signing.seed',
      'keys/join-signing.seed',
      'keys/master-signing.seed',
      'keys/peel-signing.seed',
      'keys/system-signing.seed',
    ]);
    const seeds = await Promise.all(
      accountSeeds.map(([name]) => loadKeyBundleFromFile('account', join(domain.home, name))),
    );
    expect(seeds.map(({ publicKey }) => publicKey)).not.toContain(domain.publicKeys.systemAccount);
  });

  it('puts no secret into zester.json', async () => {
    const home = await tempDir();
    const domain = await createTrustDomain(home, { now: () => Date.UTC(2030, 0, 1) });
    const publicKeyOf = async (name: string) =>
      (await loadKeyBundleFromFile('account', join(home, 'keys', `${name}-signing.seed`))).publicKey;
    const text = await readFile(domain.paths.settings, 'utf8');
    expect(text).not.toMatch(SEED);
    expect(JSON.parse(text)).toEqual({
      version: 1,
      createdAt: '2030-01-01T00:00:00.000Z',
      operator: {
        name: 'zester',
        publicKey: domain.publicKeys.operator,
        signingKey: domain.publicKeys.operatorSigning,
      },
      systemAccount: { name: 'SYS', publicKey: domain.publicKeys.systemAccount },
      account: {
        name: 'fleet',
        publicKey: domain.publicKeys.account,
        peelSigningKey: domain.publicKeys.peelSigning,
        joinSigningKey: domain.publicKeys.joinSigning,
      },
      renewal: {
        masterSigningKey: await publicKeyOf('master'),
        answersSigningKey: await publicKeyOf('answers'),
        adminSigningKey: await publicKeyOf('admin'),
        systemSigningKey: await publicKeyOf('system'),
        endorsements: expect.stringMatching(/^A/) as string,
        lifetime: 90 * 86_400,
      },
    });
  });

  it('creates credentials that expire, and renews them without the identity', async () => {
    const home = await tempDir();
    const domain = await createTrustDomain(home, { credsLifetime: 3_600, now: () => Date.now() - 7_200_000 });
    const { paths, accountJwt, systemAccountJwt, publicKeys } = domain;
    const files = [paths.masterCreds, paths.masterAnswersCreds, paths.adminCreds, paths.systemCreds];
    const claimsOf = async (path: string) => (await loadCredsFile(path)).claims;
    const before = await Promise.all(files.map(claimsOf));
    for (const claims of before) expect(claims.exp).toBe(claims.iat + 3_600);
    // one key for each, whose template the servers enforce, named after all that would be lost with the home
    const keys = [accountJwt, systemAccountJwt].flatMap(
      (jwt) => decodeAccountJwt(jwt).nats.signing_keys ?? [],
    );
    for (const [i, role] of [
      'zester-master',
      'zester-master-answers',
      'zester-admin',
      'zester-system',
    ].entries()) {
      const key = keys.find((one) => typeof one === 'object' && one.key === before[i]?.iss);
      expect(key).toMatchObject({ role });
      const { name, users } = labelOf(typeof key === 'object' ? key.description : '') ?? {};
      expect(name).toBe('first');
      expect(new Set(users)).toEqual(new Set(before.map(({ sub }) => sub)));
    }
    await exportIdentity(home, join(await tempDir(), 'offline'));
    expect((await renewOwnCreds(home)).map(({ user }) => user)).toEqual([
      'master',
      'answers',
      'admin',
      'system',
    ]);
    const { operatorJwt, settings } = await openTrustDomain(home);
    for (const [i, path] of files.entries()) {
      const { jwt, claims } = await loadCredsFile(path);
      const account = path === paths.systemCreds ? systemAccountJwt : accountJwt;
      expect(() => validateJwtChain(operatorJwt, account, jwt)).not.toThrow();
      expect(claims.sub).toBe(before[i]?.sub);
    }
    const { claims: master } = await loadCredsFile(paths.masterCreds);
    expect(isMasterOf(master, publicKeys.account, Date.now() / 1_000, settings.renewal?.endorsements)).toBe(
      true,
    );
  });

  it('creates credentials that never expire on request', async () => {
    const { paths, publicKeys, settings } = await createTrustDomain(await tempDir(), { credsLifetime: 0 });
    expect(settings.renewal).toBeUndefined();
    for (const path of [paths.masterCreds, paths.masterAnswersCreds, paths.adminCreds, paths.systemCreds]) {
      const { claims } = await loadCredsFile(path);
      expect(claims.exp).toBeUndefined();
      expect([publicKeys.account, publicKeys.systemAccount]).toContain(claims.iss);
    }
    for (const credsLifetime of [-1, 0.5, NaN])
      await expect(createTrustDomain(await tempDir(), { credsLifetime })).rejects.toMatchObject({
        code: 'ERR_TRUST_OPTIONS',
        message: expect.stringContaining('credsLifetime') as string,
      });
  });

  it('leaves the credentials of a home unchanged, whatever lifetime is requested later', async () => {
    for (const [first, later] of [
      [0, 3_600],
      [3_600, 0],
    ] as const) {
      const home = await tempDir();
      await createTrustDomain(home, { credsLifetime: first });
      const before = await contentsOf(home);
      const steps: { made: boolean }[] = [];
      await createTrustDomain(home, { credsLifetime: later, onStep: (step) => steps.push(step) });
      expect(steps).toHaveLength(first === 0 ? 13 : 17);
      expect(steps).not.toContainEqual(expect.objectContaining({ made: true }));
      expect(await contentsOf(home)).toEqual(before);
    }
  });

  it('uses the given names and clock', async () => {
    const now = () => Date.UTC(2030, 0, 1);
    const domain = await createTrustDomain(await tempDir(), {
      operatorName: 'Acme "Ops"',
      accountName: 'Küche',
      now,
    });
    expect(domain.names).toEqual({ operator: 'Acme "Ops"', systemAccount: 'SYS', account: 'Küche' });
    expect(decodeOperatorJwt(domain.operatorJwt).iat).toBe(now() / 1000);
    expect((await loadCredsFile(domain.paths.masterCreds)).claims.iat).toBe(now() / 1000);
  });

  it('changes nothing when repeated, and reports it', async () => {
    const home = await tempDir();
    await createTrustDomain(home);
    const before = await contentsOf(home);
    const made: boolean[] = [];
    const again = await createTrustDomain(home, { onStep: (step) => made.push(step.made) });
    expect(made).toHaveLength(17);
    expect(made).not.toContain(true);
    expect(await contentsOf(home)).toEqual(before);
    expect(again.publicKeys).toEqual((await openTrustDomain(home)).publicKeys);
  });

  it('completes a run that was interrupted after any step, and keeps existing files', async () => {
    const steps = await stepsOf();
    expect(steps).toHaveLength(17);
    for (let done = 0; done < steps.length; done++) {
      const home = await tempDir();
      await createTrustDomain(home);
      for (const step of steps.slice(done)) await rm(join(home, step));
      const before = await contentsOf(home);
      const domain = await createTrustDomain(home);
      expect(await contentsOf(home), `interrupted after ${done}`).toMatchObject(before);
      const master = await loadCredsFile(domain.paths.masterCreds);
      expect(() => validateJwtChain(domain.operatorJwt, domain.accountJwt, master.jwt)).not.toThrow();
    }
  });

  it('refuses a home with missing files, and names them', async () => {
    const steps = await stepsOf();
    const settings = steps.at(-1) ?? '';
    for (const taken of steps.slice(0, -2)) {
      const home = await tempDir();
      await createTrustDomain(home);
      await rm(join(home, taken));
      await rm(join(home, settings));
      const before = await contentsOf(home);
      await expect(createTrustDomain(home), taken).rejects.toMatchObject({
        code: 'ERR_TRUST_DAMAGED',
        message: expect.stringContaining(join(home, taken)) as string,
      });
      expect(await contentsOf(home), 'the home is as it was').toEqual(before);
    }
  });

  it('refuses names that differ from the existing domain’s', async () => {
    const home = await tempDir();
    await createTrustDomain(home, { operatorName: 'one', accountName: 'two' });
    await expect(createTrustDomain(home, { operatorName: 'other' })).rejects.toMatchObject({
      code: 'ERR_TRUST_NAMES',
    });
    await expect(createTrustDomain(home, { accountName: 'other' })).rejects.toMatchObject({
      code: 'ERR_TRUST_NAMES',
    });
    await expect(createTrustDomain(home, { operatorName: 'one', accountName: 'two' })).resolves.toBeDefined();
  });

  it.each([
    ['can be written by its group', 0o770, 'can be written by others'],
    ['can be written by everyone', 0o703, 'can be written by others'],
    ['can be read by others', 0o755, 'can be read by others'],
  ])('refuses a home that %s, and writes nothing there', async (_, mode, words) => {
    const home = join(await tempDir(), 'home');
    await mkdir(home);
    await chmod(home, mode);
    await expect(createTrustDomain(home)).rejects.toMatchObject({
      code: 'ERR_TRUST_HOME_EXPOSED',
      message: expect.stringContaining(words) as string,
    });
    expect(await filesOf(home)).toEqual([]);
  });

  it('refuses a home that is a file', async () => {
    const home = join(await tempDir(), 'home');
    await writeFile(home, '');
    await expect(createTrustDomain(home)).rejects.toMatchObject({ code: 'ERR_TRUST_HOME' });
    await expect(createTrustDomain(join(home, 'below'))).rejects.toMatchObject({ code: 'ERR_TRUST_HOME' });
  });
});

describe('opening a trust domain', () => {
  it('returns the same domain as its creation', async () => {
    const home = await tempDir();
    const made = await createTrustDomain(home);
    const opened = await openTrustDomain(home);
    expect({ ...opened }).toEqual({ ...made });
    expect(opened.paths).toEqual(trustPaths(home));
  });

  it('reports that there is none, and how to create one', async () => {
    const home = await tempDir();
    for (const path of [home, join(home, 'not-there')]) {
      await expect(openTrustDomain(path)).rejects.toMatchObject({
        code: 'ERR_TRUST_NOT_FOUND',
        message: expect.stringContaining('zester init') as string,
      });
    }
  });

  it('reports an incomplete one', async () => {
    const home = await tempDir();
    await createTrustDomain(home);
    await rm(trustPaths(home).settings);
    await expect(openTrustDomain(home)).rejects.toMatchObject({ code: 'ERR_TRUST_INCOMPLETE' });
  });

  it('refuses one with a file missing, and names it', async () => {
    const paths = trustPaths(await tempDir());
    const needed = [
      paths.operatorJwt,
      paths.systemAccountJwt,
      paths.accountJwt,
      paths.operatorSigningSeed,
      paths.peelSigningSeed,
      paths.masterCreds,
      paths.adminCreds,
      paths.systemCreds,
    ];
    await createTrustDomain(paths.home);
    for (const path of needed) {
      const content = await readFile(path);
      await rm(path);
      await expect(openTrustDomain(paths.home)).rejects.toMatchObject({
        code: 'ERR_TRUST_DAMAGED',
        message: expect.stringContaining(path) as string,
      });
      await writeFile(path, content, { mode: 0o600 });
    }
    await expect(openTrustDomain(paths.home)).resolves.toBeDefined();
  });

  it('refuses the JWT of another domain, of another type, and one that was altered', async () => {
    const { paths, accountJwt, systemAccountJwt } = await createTrustDomain(await tempDir());
    const other = await createTrustDomain(await tempDir());
    const wrong: [string, string][] = [
      [paths.accountJwt, other.accountJwt],
      [paths.accountJwt, systemAccountJwt],
      [paths.accountJwt, accountJwt.slice(0, -4) + 'AAAA'],
      [paths.systemAccountJwt, other.systemAccountJwt],
      [paths.operatorJwt, other.operatorJwt],
      [paths.operatorJwt, accountJwt],
    ];
    for (const [path, jwt] of wrong) {
      const content = await readFile(path);
      await writeFile(path, jwt);
      await expect(openTrustDomain(paths.home)).rejects.toMatchObject({
        code: 'ERR_TRUST_DAMAGED',
        message: expect.stringContaining(path) as string,
      });
      await writeFile(path, content);
    }
    await expect(openTrustDomain(paths.home)).resolves.toBeDefined();
  });

  it.each(['', 'keys', 'jwt', 'creds'])(
    'refuses it when others can write into its directory "%s"',
    async (name) => {
      const home = await tempDir();
      await createTrustDomain(home);
      await chmod(join(home, name), 0o777);
      await expect(openTrustDomain(home)).rejects.toMatchObject({
        code: 'ERR_TRUST_HOME_EXPOSED',
        message: expect.stringContaining(`chmod 700 ${join(home, name).replace(/\/$/, '')}`) as string,
      });
    },
  );

  it('refuses a zester.json that is invalid, incomplete, or from a newer version', async () => {
    const { home, paths } = await createTrustDomain(await tempDir());
    const good = JSON.parse(await readFile(paths.settings, 'utf8')) as Record<string, unknown>;
    const cases: [string, string][] = [
      ['{"version": 1, "createdAt"', 'ERR_TRUST_SETTINGS'],
      ['null', 'ERR_TRUST_SETTINGS'],
      [JSON.stringify({ ...good, operator: undefined }), 'ERR_TRUST_SETTINGS'],
      [JSON.stringify({ ...good, version: '1' }), 'ERR_TRUST_SETTINGS'],
      [JSON.stringify({ ...good, version: 2 }), 'ERR_TRUST_VERSION'],
    ];
    for (const [text, code] of cases) {
      await writeFile(paths.settings, text);
      await expect(openTrustDomain(home), text).rejects.toMatchObject({ code });
    }
  });
});

describe('the keys of a trust domain', () => {
  it('are loaded on demand, each the one that the JWTs name', async () => {
    const domain = await createTrustDomain(await tempDir());
    const { publicKeys } = domain;
    expect((await domain.operatorKey()).publicKey).toBe(publicKeys.operator);
    expect((await domain.operatorSigningKey()).publicKey).toBe(publicKeys.operatorSigning);
    expect((await domain.accountKey()).publicKey).toBe(publicKeys.account);
    expect((await domain.peelSigner()).publicKey).toBe(publicKeys.peelSigning);
    expect((await domain.joinSigner()).publicKey).toBe(publicKeys.joinSigning);
  });

  it('of join tokens may be elsewhere, or absent in an older home, and the error suggests the fix', async () => {
    const { home, paths, publicKeys } = await createTrustDomain(await tempDir());
    const seed = await readFile(paths.joinSigningSeed);
    await rm(paths.joinSigningSeed);
    await expect((await openTrustDomain(home)).joinSigner()).rejects.toMatchObject({
      code: 'ERR_TRUST_KEY_OFFLINE',
      message: expect.stringContaining(`put it there`) as string,
    });
    await writeFile(paths.joinSigningSeed, seed, { mode: 0o600 });
    expect((await (await openTrustDomain(home)).joinSigner()).publicKey).toBe(publicKeys.joinSigning);

    await withoutJoinKey(home);
    const older = await openTrustDomain(home);
    expect(older.publicKeys.joinSigning).toBeUndefined();
    await expect(older.joinSigner()).rejects.toMatchObject({
      code: 'ERR_TRUST_KEY_OFFLINE',
      message: expect.stringContaining('zester keys add join-signing') as string,
    });
    const steps: { path: string; made: boolean }[] = [];
    await createTrustDomain(home, { onStep: (step) => steps.push(step) });
    expect(steps).not.toContainEqual(expect.objectContaining({ made: true }));
    expect(steps.map(({ path }) => path)).not.toContain(paths.joinSigningSeed);
    await older.issuePeel('web-01', join(home, 'web-01.creds'));
  });

  it('of operator and account may be elsewhere, until they are needed', async () => {
    const { home, paths } = await createTrustDomain(await tempDir());
    await rm(paths.operatorSeed);
    await rm(paths.accountSeed);
    const domain = await openTrustDomain(home);
    await expect(domain.accountKey()).rejects.toMatchObject({ code: 'ERR_TRUST_KEY_OFFLINE' });
    await expect(domain.operatorKey()).rejects.toMatchObject({ code: 'ERR_TRUST_KEY_OFFLINE' });
    await domain.issuePeel('web-01', join(home, 'web-01.creds'));
  });

  it('are refused when the file holds another key, another role’s, or can be read by others', async () => {
    const domain = await createTrustDomain(await tempDir());
    const { peelSigningSeed } = domain.paths;
    await generateKeyBundle('account').saveSeedToFile(peelSigningSeed);
    await expect(domain.peelSigner()).rejects.toMatchObject({ code: 'ERR_TRUST_KEY_MISMATCH' });
    await generateKeyBundle('user').saveSeedToFile(peelSigningSeed);
    await expect(domain.peelSigner()).rejects.toMatchObject({ code: 'ERR_KEY_ROLE' });
    await writeFile(peelSigningSeed, domain.publicKeys.peelSigning);
    await expect(domain.peelSigner()).rejects.toMatchObject({ code: 'ERR_KEY_NOT_A_SEED' });
    await chmod(domain.paths.accountSeed, 0o640);
    await expect(domain.accountKey()).rejects.toMatchObject({ code: 'ERR_TRUST_SECRET_EXPOSED' });
  });

  it('sign peels with a valid chain whose JWT carries no permissions', async () => {
    const domain = await createTrustDomain(await tempDir());
    const path = join(domain.home, 'web-01.creds');
    const { user, jwt } = await domain.issuePeel('web-01', path, { expiry: 3600 });
    const creds = await loadCredsFile(path);
    expect(creds.publicKey).toBe(user.publicKey);
    expect(creds.claims).toMatchObject({
      name: 'web-01',
      iss: domain.publicKeys.peelSigning,
      exp: creds.claims.iat + 3600,
      nats: { issuer_account: domain.publicKeys.account },
    });
    expect(creds.claims.nats.pub).toBeUndefined();
    expect(() => validateJwtChain(domain.operatorJwt, domain.accountJwt, jwt)).not.toThrow();
  });

  it('do not sign a peel with an invalid ID, and write no file for it', async () => {
    const domain = await createTrustDomain(await tempDir());
    const path = join(domain.home, 'star.creds');
    await expect(domain.issuePeel('*', path)).rejects.toMatchObject({ code: 'ERR_PEEL_ID' });
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
