import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { connect } from '@nats-io/transport-node';
import { generateCredsFile, writeCredsFile } from '../../../src/creds/generate.js';
import { loadCredsFile, parseCredsData } from '../../../src/creds/parse.js';
import { decodeUserJwt } from '../../../src/jwt/decode.js';
import { contextOf } from '../../../src/master/context-of.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { enrollSubject } from '../../../src/permissions/names.js';
import { recoveryInboxPrefix, recoveryName } from '../../../src/permissions/recovery.js';
import { newRequestId, type AdminClient } from '../../../src/protocol/admin-client.js';
import { encodeJson, type HeldRecovery, type RequestOf } from '../../../src/protocol/messages.js';
import { recoveryProof } from '../../../src/protocol/proofs.js';
import { fingerprint } from '../../../src/protocol/fingerprint.js';
import { peelDocument } from '../../../src/cli/fleet/peel-document.js';
import { connectFleet } from '../../../src/fleet-client/connect-fleet.js';
import { heldRecovery } from '../../../src/peel/held-recovery.js';
import { recoverCredentials, type RecoverOptions } from '../../../src/peel/recover.js';
import { recoveryPath, writeRecoveryFile } from '../../../src/peel/recovery-files.js';
import { atEnd } from '../../support/cleanup.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { addPeel } from './asking.js';
import { startFleet, type Fleet } from './fleet.js';
import { TestPeel, tokenFile } from './peels.js';

let fleet: Fleet;
let admin: AdminClient;
beforeAll(async () => {
  fleet = await startFleet({ policy: 'auto-trusted', lifetime: 60 });
  admin = await fleet.admin();
});

/** Credentials with their recovery credential, as `zester peel add` writes them. */
async function added(peelId: string, { expiry = 1, of = fleet, by = admin } = {}): Promise<string> {
  const key = generateKeyBundle('user');
  const { publicKey, seed } = key;
  const request = { requestId: newRequestId(), peelId, publicKey, expiry };
  const { jwt, recovery = '' } = await by.ask('peel.add', request);
  const path = join(of.home.dir, `${peelId}.creds`);
  await writeCredsFile(path, jwt, seed);
  await writeRecoveryFile(path, recovery);
  return path;
}

const hasExpired = (path: string) =>
  waitFor('the credential to expire', async () =>
    (await loadCredsFile(path)).isExpired(() => Date.now() - 1_100),
  );

/** Credentials that have expired. */
async function expired(peelId: string, more: { of?: Fleet; by?: AdminClient } = {}): Promise<string> {
  const path = await added(peelId, { ...more, expiry: 1 });
  await hasExpired(path);
  return path;
}

const recovered = (credsPath: string, more: Partial<RecoverOptions> = {}) =>
  recoverCredentials({ servers: fleet.servers, waitMs: 20_000, ...more, credsPath, credentials: undefined });

const codeOf = (error: unknown): string => (error as { code: string }).code;

/** The error of a rejected promise. */
const errorOf = (failing: Promise<unknown>): Promise<unknown> =>
  failing.then(
    () => undefined,
    (error: unknown) => error,
  );

const recordOf = (peelId: string, of = fleet) => contextOf(of.master).registry.get(peelId);

/** A copy of credentials in another directory, as on a cloned disk. */
async function copied(path: string): Promise<string> {
  const directory = join(fleet.home.dir, `copies-${Math.random().toString(36).slice(2)}`);
  await mkdir(directory);
  const copy = join(directory, 'copy.creds');
  await copyFile(path, copy);
  await copyFile(recoveryPath(path), recoveryPath(copy));
  return copy;
}

describe('a peel that was stopped for longer than its lifetime', () => {
  it('recovers by itself, with a new key, and its old key is invalid', async () => {
    const path = await expired('off-1');
    const before = await loadCredsFile(path);
    const peel = await TestPeel.start(fleet, path);
    await waitFor('its recovery', () => peel.events.some(({ type }) => type === 'recovered'));
    expect(peel.peel.credentials.publicKey).not.toBe(before.publicKey);
    const record = await fleet.record(
      'off-1',
      ({ state, keys }) => state === 'active' && keys.at(-1)?.state === 'live',
    );
    expect(record).toMatchObject({
      recovery: { count: 1 },
      keys: [
        { publicKey: before.publicKey, state: 'revoked' },
        { publicKey: peel.peel.credentials.publicKey, replaces: before.publicKey },
      ],
    });
    await fleet.audited('peel.recovered', ({ peelId }) => peelId === 'off-1');
    expect(await contextOf(fleet.master).metrics.registry.metrics()).toMatch(
      /zester_master_recoveries_total\{outcome="recovered"\} [1-9]/,
    );
    // the next recovery credential is here, readable by its owner only, and nothing else
    expect((await stat(recoveryPath(path))).mode & 0o777).toBe(0o600);
    expect((await readdir(fleet.home.dir)).filter((name) => name.startsWith('off-1.creds')).sort()).toEqual([
      'off-1.creds',
      'off-1.creds.recovery',
    ]);
    const next = decodeUserJwt((await readFile(recoveryPath(path), 'utf8')).trim());
    expect(next).toMatchObject({ sub: peel.peel.credentials.publicKey, name: recoveryName('off-1') });
  });

  it('recovers once for each lifetime, and counts', async () => {
    const short = await startFleet({ policy: 'auto-trusted', lifetime: 1 });
    const path = await expired('off-2', { of: short, by: await short.admin() });
    for (const count of [1, 2, 3]) {
      const result = await recovered(path, { servers: short.servers });
      expect(result.outcome).toBe('recovered');
      expect(recordOf('off-2', short)?.recovery?.count).toBe(count);
      await hasExpired(path);
    }
  });

  it('whose clock is off keeps a credential that is valid', async () => {
    for (const [i, off] of [-3_600_000, 3_600_000].entries()) {
      const peelId = `clock-${i}`;
      const path = await added(peelId, { expiry: 600 });
      const { publicKey } = await loadCredsFile(path);
      const peel = await TestPeel.start(fleet, path, { now: () => Date.now() + off });
      expect(peel.peel.credentials.publicKey).toBe(publicKey);
      const outcome = await recovered(path, { now: () => Date.now() + off });
      expect(outcome).toMatchObject({ outcome: 'valid' });
      expect(recordOf(peelId)?.recovery).toBeUndefined();
    }
  });

  it('whose clock is off recovers anyway', async () => {
    for (const [i, off] of [-3_600_000, 3_600_000].entries()) {
      const path = await expired(`clock-off-${i}`);
      const peel = await TestPeel.start(fleet, path, { now: () => Date.now() + off });
      await waitFor('its recovery', () => peel.events.some(({ type }) => type === 'recovered'));
    }
  });

  it('gets the same answer again when the first one was lost', async () => {
    const path = await expired('lost-1');
    // the first answer arrives, and the program dies before it writes anything
    const { seed, jwt } = await loadCredsFile(path);
    const content = Buffer.from(generateCredsFile(jwt, seed));
    const dying = {
      load: () => content.toString(),
      store: () => Promise.reject(new Error('killed')),
      name: 'a program that dies',
    };
    await expect(
      recoverCredentials({ servers: fleet.servers, credentials: dying, recovery: recoveryPath(path) }),
    ).rejects.toThrow('killed');
    const given = await waitFor('the first answer', () => recordOf('lost-1')?.recovery && recordOf('lost-1'));
    const newKey = given.keys.at(-1)?.publicKey;
    // it restarts, with the key that it had generated
    const left = (await readdir(fleet.home.dir)).filter(
      (name) => name.startsWith('lost-1') && name.endsWith('.recovering'),
    );
    expect(left).toEqual(['lost-1.creds.recovery.recovering']);
    await copyFile(join(fleet.home.dir, left[0] ?? ''), `${path}.recovering`);
    const again = await recovered(path);
    expect(again).toMatchObject({ outcome: 'recovered', publicKey: newKey });
    expect(recordOf('lost-1')).toMatchObject({ state: 'accepted', recovery: { count: 1 } });
  });

  it('recovers once where two programs on one host use the same file', async () => {
    const path = await expired('twice-1');
    const results = await Promise.all([recovered(path), recovered(path), recovered(path)]);
    expect(new Set(results.map(({ publicKey }) => publicKey)).size).toBe(1);
    expect(recordOf('twice-1')).toMatchObject({ state: 'accepted', recovery: { count: 1 } });
  });

  it('gets advice if it has no recovery credential', async () => {
    const path = await expired('none-1');
    await writeFile(recoveryPath(path), '');
    expect(await errorOf(recovered(path))).toMatchObject({
      code: 'ERR_FLEET_RECOVERY',
      message: expect.stringContaining('zester peel add none-1 --replace') as string,
    });
  });
});

describe('a copy of a credential', () => {
  it('is detected in 20 of 20 tries, and both are stopped', async () => {
    const paths = await Promise.all(Array.from({ length: 20 }, (_, i) => added(`clone-${i}`)));
    await Promise.all(paths.map(hasExpired));
    const outcomes = await Promise.all(
      paths.map(async (path, i) => {
        const copy = await copied(path);
        // half of them concurrently, half one after the other
        const tries =
          i % 2 === 0
            ? await Promise.allSettled([recovered(path), recovered(copy)])
            : [
                ...(await Promise.allSettled([recovered(path)])),
                ...(await Promise.allSettled([recovered(copy)])),
              ];
        return tries
          .map((one) => (one.status === 'fulfilled' ? one.value.outcome : codeOf(one.reason)))
          .sort();
      }),
    );
    expect(outcomes).toEqual(Array.from({ length: 20 }, () => ['ERR_FLEET_CLONED', 'recovered']));
    for (const [i, path] of paths.entries()) {
      const peelId = `clone-${i}`;
      expect(recordOf(peelId)).toMatchObject({ state: 'revoked' });
      // neither comes back
      expect(await errorOf(recovered(path))).toMatchObject({
        code: expect.stringMatching(/ERR_FLEET_(REVOKED|CLONED)|ERR_CONNECT_REFUSED/) as string,
      });
    }
    await waitFor('all clones in the audit', async () => {
      const cloned = (await fleet.audit()).filter(({ kind }) => kind === 'peel.cloned');
      return new Set(cloned.map(({ peelId }) => peelId)).size === 20;
    });
  });

  it('stops the original that runs', async () => {
    const path = await expired('clone-live');
    const copy = await copied(path);
    const peel = await TestPeel.start(fleet, path);
    expect(await errorOf(recovered(copy))).toMatchObject({ code: 'ERR_FLEET_CLONED' });
    expect(await peel.peel.closed).toMatchObject({ reason: 'ended' });
  });
});

describe('a peel that was locked out', () => {
  it.each([
    ['revoked', 'ERR_FLEET_REVOKED'],
    ['rejected', 'ERR_FLEET_REJECTED'],
  ] as const)('never recovers when it was %s', async (what, code) => {
    const path = await expired(`out-${what}`);
    if (what === 'revoked') await admin.ask('peel.revoke', { peelId: `out-${what}` });
    else await admin.ask('peel.reject', { peelId: `out-${what}` });
    const error = await errorOf(recovered(path));
    expect([code, 'ERR_CONNECT_REFUSED']).toContain(codeOf(error));
    expect(recordOf(`out-${what}`)).toMatchObject({ state: what });
  });
});

describe('an admin', () => {
  it('accepts a recovery where the policy is manual', async () => {
    const manual = await startFleet({ policy: 'manual', lifetime: 60, recoverySeconds: 'manual' });
    const by = await manual.admin();
    const path = await expired('manual-1', { of: manual, by });
    const recovering = recovered(path, { servers: manual.servers });
    const record = await manual.record('manual-1', ({ state }) => state === 'pending');
    const [old, requested] = record.keys;
    expect([old?.state, requested?.state]).toEqual(['issued', 'requested']);
    // the fingerprint that the host shows is the one that admins see, and the only one that they can accept
    const [oldPrint, newPrint] = record.keys.map(({ publicKey }) => fingerprint(publicKey));
    expect(peelDocument(record)).toMatchObject({ fingerprint: newPrint, keyState: 'requested' });
    const client = await connectFleet({
      ...manual.connection,
      credentials: (await manual.home.domain()).paths.adminCreds,
    });
    atEnd(() => client.close());
    await expect(client.peels.accept('manual-1', { fingerprint: oldPrint })).rejects.toMatchObject({
      code: 'ERR_FLEET_PROOF',
    });
    await client.peels.accept('manual-1', { fingerprint: newPrint });
    expect(await recovering).toMatchObject({ outcome: 'recovered' });
    // as the request may be sent again
    await client.peels.accept('manual-1', { fingerprint: newPrint });
    expect(recordOf('manual-1', manual)).toMatchObject({ state: 'accepted', recovery: { count: 1 } });
    // with 0, no recovery credential is issued
    const never = await startFleet({ recoverySeconds: 0 });
    const key = generateKeyBundle('user');
    const answer = await (
      await never.admin()
    ).ask('peel.add', { requestId: newRequestId(), peelId: 'never-1', publicKey: key.publicKey });
    expect(answer.recovery).toBeUndefined();
  });
});

/** A connection with a recovery credential. */
async function recoveryUser(path: string, peelId: string, of = fleet) {
  const creds = await loadCredsFile(path);
  const jwt = (await readFile(recoveryPath(path), 'utf8')).trim();
  const user = parseCredsData(generateCredsFile(jwt, creds.seed), 'recovery');
  const errors: string[] = [];
  const nc = await connect({
    servers: of.servers,
    ...user.natsOption(),
    inboxPrefix: recoveryInboxPrefix(peelId),
    reconnect: false,
  });
  atEnd(() => nc.close());
  void (async () => {
    for await (const status of nc.status()) if (status.type === 'error') errors.push(status.error.message);
  })();
  return { nc, errors, creds, jwt };
}

describe('a recovery credential', () => {
  it('stays the same while the peel renews, and the peel recovers with it', async () => {
    const short = await startFleet({ policy: 'auto-trusted', lifetime: 2 });
    const path = await added('kept-1', { of: short, by: await short.admin(), expiry: 2 });
    const before = await stat(recoveryPath(path));
    const test = await TestPeel.start(short, path);
    await test.event('renewed', 2, 30_000);
    await test.peel.drain();
    expect(await stat(recoveryPath(path))).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
    await hasExpired(path);
    expect(await recovered(path, { servers: short.servers })).toMatchObject({ outcome: 'recovered' });
  });

  it('is replaced by a renewal that says it has another, or none', async () => {
    const peel = await addPeel(fleet, admin, 'kept-2');
    const renew = (recovery?: HeldRecovery) => peel.renew(newRequestId(), peel.key.publicKey, recovery);
    const held = heldRecovery((await renew()).recovery);
    expect(held).toMatchObject({ count: 0 });
    if (held === undefined) return;
    expect((await renew(held)).recovery).toBeUndefined();
    const others = [
      { ...held, issuer: generateKeyBundle('account').publicKey },
      { ...held, expiresAt: held.expiresAt - 101 * 86_400 },
      { ...held, count: 1 },
    ];
    for (const other of others) expect((await renew(other)).recovery).toBeDefined();
    await refusal('ERR_FLEET_REQUEST', () => renew({ ...held, issuer: 'nobody' }));
  });

  it('of a revoked peel stays out when its JWT has expired and later revocations are pushed', async () => {
    let ahead = 0;
    const own = await startFleet({ policy: 'auto-trusted', lifetime: 60, now: () => Date.now() + ahead });
    const by = await own.admin();
    const path = await expired('stolen-1', { of: own, by });
    await by.ask('peel.revoke', { peelId: 'stolen-1' });
    ahead = 3_600_000;
    for (const peelId of ['other-1', 'other-2']) {
      await added(peelId, { of: own, by, expiry: 60 });
      await by.ask('peel.revoke', { peelId });
    }
    await expect(recoveryUser(path, 'stolen-1', own)).rejects.toThrow(/authorization violation/i);
  });

  it('may only request recovery, as its own peel', async () => {
    const path = await added('isolated-1', { expiry: 600 });
    await added('isolated-2', { expiry: 600 });
    const { nc, errors } = await recoveryUser(path, 'isolated-1');
    const other = recoveryName('isolated-2');
    for (const subject of [
      'zester.auth.isolated-1.renew',
      'zester.event.isolated-1.x',
      'zester.cmd.isolated-1',
      'zester.admin.status',
      `zester.enroll.${other}.recover`,
      'zester.enroll._zester-join-abcdefgh.join',
      '$JS.API.INFO',
      '$SYS.REQ.SERVER.PING',
      '_INBOX.isolated-1.x',
      'any.other',
    ]) {
      errors.length = 0;
      nc.publish(subject, '');
      await waitFor(`a refusal of ${subject}`, () => errors.length > 0);
      expect(errors.join(), subject).toMatch(/permissions violation for publish/i);
    }
    for (const subject of [
      '>',
      'zester.>',
      'zester.cmd.isolated-1',
      '_INBOX.>',
      '_INBOX.isolated-1.>',
      `_INBOX.${other}.>`,
    ]) {
      errors.length = 0;
      nc.subscribe(subject, { callback: () => undefined });
      await waitFor(`a refusal of ${subject}`, () => errors.length > 0);
      expect(errors.join(), subject).toMatch(/permissions violation for subscription/i);
    }
  });

  /** A recovery request, like a peel's. */
  async function request(path: string, peelId: string, changes: Partial<RequestOf<'recover'>> = {}) {
    const { nc, creds, jwt } = await recoveryUser(path, peelId);
    const user = recoveryName(peelId);
    const key = generateKeyBundle('user');
    const ask = async (name: 'challenge' | 'recover', body: object) => {
      const { data } = await nc.request(enrollSubject(user, name), encodeJson(body), { timeout: 5_000 });
      return JSON.parse(Buffer.from(data).toString()) as {
        challenge?: string;
        state?: string;
        error?: { code: string };
      };
    };
    const { challenge = '' } = await ask('challenge', { peelId, publicKey: key.publicKey });
    const body = {
      requestId: newRequestId(),
      publicKey: creds.publicKey,
      newPublicKey: key.publicKey,
      count: 0,
      credential: jwt,
      challenge,
      ...changes,
    };
    const proof = recoveryProof({ ...body, peelId });
    const old = (await import('../../../src/nkeys/key-bundle.js')).loadKeyBundle('user', creds.seed);
    const signed = {
      ...body,
      signature: Buffer.from(old.sign(proof)).toString('base64url'),
      newSignature: Buffer.from(key.sign(proof)).toString('base64url'),
    };
    return { ask, signed };
  }

  it('is refused with a forged proof, counter or credential, and when it is replayed', async () => {
    const path = await expired('forged-1');
    const other = await expired('forged-2');
    const otherJwt = (await readFile(recoveryPath(other), 'utf8')).trim();
    const { ask, signed } = await request(path, 'forged-1');
    const code = async (body: object) => (await ask('recover', body)).error?.code;
    expect(await code({ ...signed, signature: signed.newSignature })).toBe('ERR_FLEET_PROOF');
    expect(await code({ ...signed, newSignature: signed.signature })).toBe('ERR_FLEET_PROOF');
    expect(await code({ ...signed, count: 1 })).toBe('ERR_FLEET_DENIED');
    expect(await code({ ...signed, credential: otherJwt })).toBe('ERR_FLEET_DENIED');
    expect(await code({ ...signed, credential: (await loadCredsFile(path)).jwt })).toBe('ERR_FLEET_DENIED');
    expect(await code({ ...signed, challenge: 'A'.repeat(43) })).toBe('ERR_FLEET_PROOF');
    expect(recordOf('forged-1')?.recovery).toBeUndefined();
    expect(await ask('recover', signed)).toMatchObject({ state: 'recovered' });
    // the same request gets the same answer; the same challenge with another request is refused
    expect(await ask('recover', signed)).toMatchObject({ state: 'recovered' });
    const { signed: second } = await request(path, 'forged-1', { challenge: signed.challenge });
    expect(await code(second)).toBe('ERR_FLEET_CHALLENGE');
    expect(recordOf('forged-1')).toMatchObject({ state: 'accepted', recovery: { count: 1 } });
  });

  it('cannot be used to join, and a join token cannot recover a peel', async () => {
    const path = await expired('kinds-1');
    const { ask, signed } = await request(path, 'kinds-1');
    const token = await loadCredsFile(await tokenFile(fleet, admin));
    const user = token.claims.name ?? '';
    const nc = await connect({
      servers: fleet.servers,
      ...token.natsOption(),
      inboxPrefix: `_INBOX.${user}`,
    });
    atEnd(() => nc.close());
    const { data } = await nc.request(enrollSubject(user, 'recover'), encodeJson(signed), { timeout: 5_000 });
    expect(JSON.parse(Buffer.from(data).toString())).toMatchObject({ error: { code: 'ERR_FLEET_DENIED' } });
    const { peelId, publicKey, challenge, requestId, signature } = { peelId: 'kinds-2', ...signed };
    const join = { peelId, publicKey, challenge, requestId, signature };
    const { nc: recovery } = await recoveryUser(path, 'kinds-1');
    const joined = await recovery.request(enrollSubject(recoveryName('kinds-1'), 'join'), encodeJson(join), {
      timeout: 5_000,
    });
    expect(JSON.parse(Buffer.from(joined.data).toString())).toMatchObject({
      error: { code: 'ERR_FLEET_DENIED' },
    });
    expect((await ask('challenge', { peelId: 'kinds-2', publicKey })).error?.code).toBe('ERR_FLEET_DENIED');
  });
});

describe('an outage of all masters that is longer than every lifetime', () => {
  it('ends with every peel back once a master starts, without manual action', async () => {
    const own = await startFleet({ policy: 'auto-trusted', lifetime: 3 });
    const by = await own.admin();
    const paths = await Promise.all(
      Array.from({ length: 20 }, (_, i) => added(`outage-${i}`, { of: own, by, expiry: 3 })),
    );
    const peels = await Promise.all(paths.map((path) => TestPeel.start(own, path)));
    await own.master.stop();
    await Promise.all(paths.map(hasExpired));
    await waitFor('every peel to be refused', () => peels.every(({ peel }) => !peel.health().connected));
    const next = await own.startMaster({ policy: 'auto-trusted', lifetime: 600 });
    await waitFor('every peel to be back', () => peels.every(({ peel }) => peel.health().connected), 40_000);
    const records = [...contextOf(next).registry.records()];
    expect(records.map(({ recovery }) => recovery?.count)).toEqual(Array.from({ length: 20 }, () => 1));
  });
});
