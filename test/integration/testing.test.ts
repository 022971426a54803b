import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { connectPeel, loadCredsFile, validateJwtChain } from '../../src/index.js';
import { joinFleet, type Peel, type PeelEvent } from '../../src/peel/index.js';
import { createTestTrust, startTestFleet, startTestServer, TestClock } from '../../src/testing/index.js';
import { noCluster } from '../support/nats-servers.js';
import { isAlive } from '../support/processes.js';
import { refusal } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

/** The next event of a type. */
async function next(peel: Peel, type: PeelEvent['type']): Promise<PeelEvent> {
  for await (const event of peel.events()) if (event.type === type) return event;
  throw new Error(`the peel ended before it emitted ${type}`);
}

describe.concurrent('startTestServer', () => {
  it('starts a server that admits the users of its trust, and leaves nothing behind', async () => {
    await using server = await startTestServer();
    const { url, dir, process } = server;
    const credsPath = await server.peelCreds('web-01', { expiry: 600 });
    const { operatorJwt, account } = server.trust;
    validateJwtChain(operatorJwt, account.jwt, (await loadCredsFile(credsPath)).jwt);
    const listener = await server.connect(await server.userCreds('listener'));
    const firstSubject = (async () => {
      for await (const message of listener.subscribe('zester.event.>', { max: 1 })) return message.subject;
      return undefined;
    })();
    await listener.flush();
    const nc = await connectPeel({ servers: url, credsPath, peelId: 'web-01' });
    nc.publish('zester.event.web-01.started');
    expect(await firstSubject).toBe('zester.event.web-01.started');
    await nc.close();
    const { pid } = process;

    await server.close();
    await server.close();

    expect(listener.isClosed()).toBe(true);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(dir)).toBe(false);
  });

  it('exercises a pushed revocation, a restart and a kill of a server', async () => {
    const trust = createTestTrust({ account: { name: 'shop' } });
    await using server = await startTestServer({ trust });
    const credsPath = await server.peelCreds('web-01');
    const { publicKey } = await loadCredsFile(credsPath);
    const nc = await server.connect(credsPath, { maxReconnectAttempts: 0 });
    const revokedUpTo = { [publicKey]: Math.floor(Date.now() / 1000) };
    await server.pushAccount(trust.accountJwtWith({ revocations: revokedUpTo }));
    await nc.closed();
    await expect(server.connect(credsPath, { reconnect: false })).rejects.toThrow(/authorization|revoked/i);

    const { port } = server.process;
    await server.process.kill();
    expect(server.process.isRunning).toBe(false);
    await server.process.start();
    expect(server.process.port).toBe(port);
    await server.connect(await server.peelCreds('web-02'));
  });

  it('makes a server refuse credentials that expired in the past', async () => {
    await using server = await startTestServer();
    const { now } = new TestClock(Date.now() - 120_000);
    const credsPath = await server.peelCreds('web-01', { expiry: 60, now });
    await expect(server.connect(credsPath, { reconnect: false })).rejects.toThrow(/expired|authorization/i);
  });

  it('wipes the keys of a trust that is disposed of', () => {
    const trust = createTestTrust({ extraAccounts: { other: {} } });
    trust[Symbol.dispose]();
    for (const key of [trust.operator, trust.account.key, trust.peelSigner]) expect(() => key.seed).toThrow();
  });

  it.each<[object, string]>([
    [{ resolvr: 'full' }, 'did you mean "resolver"?'],
    [{ resolver: 'fool' }, 'must be one of "full"'],
  ])('refuses %j', async (options, hint) => {
    const error = await refusal('ERR_FLEET_CONFIG', () => startTestServer(options as never));
    expect(error.message).toContain(hint);
  });
});

describe.concurrent('startTestFleet', () => {
  it('starts a fleet with a master, a peel that answers, an admin, and leaves nothing behind', async () => {
    await using fleet = await startTestFleet({ master: { lifetime: 3_600 } });
    const peel = await fleet.startPeel('web-01', { handlers: { add: ([a, b]) => Number(a) + Number(b) } });
    const admin = await fleet.connect();
    const replies: unknown[] = [];
    for await (const reply of admin.peels.exec('web-01', 'add', ['1', '2']))
      replies.push(reply.ok && reply.result);
    expect(replies).toEqual([3]);
    const { record } = await admin.peels.show('web-01');
    expect(record.keys[0]?.publicKey).toBe(peel.credentials.publicKey);
    const pids = fleet.servers.map(({ pid }) => pid);

    await fleet.close();

    expect(await peel.closed).toMatchObject({ reason: 'failed' });
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(fleet.dir)).toBe(false);
  });

  it('renews the credential of a peel when its clock is advanced, with the same connection', async () => {
    await using fleet = await startTestFleet({ master: { lifetime: 86_400 } });
    const peel = await fleet.startPeel('web-01');
    const before = peel.credentials;
    const renewed = next(peel, 'renewed');
    fleet.clock.advance(20 * 3_600_000);
    await renewed;
    const { publicKey, claims } = peel.credentials;
    expect(publicKey).toBe(before.publicKey);
    expect((claims.exp ?? 0) - (before.claims.exp ?? 0)).toBeGreaterThan(19 * 3_600);
    expect(peel.nc.isClosed()).toBe(false);
    // a server with the machine's clock accepts credentials issued by that clock
    const rotated = await peel.rotate();
    expect(rotated).not.toBe(publicKey);
  });

  it('lets a host join with a token, by the policy that it is given', async () => {
    await using fleet = await startTestFleet({ master: { policy: 'auto-all' } });
    const token = await fleet.joinToken({ ids: 'db-*', uses: 2 });
    const out = `${fleet.dir}/db-01.creds`;
    const joined = await joinFleet({ servers: fleet.urls, token, peelId: 'db-01', out });
    const peel = await fleet.startPeel('db-01', { credsPath: out });
    expect(peel.credentials.publicKey).toBe(joined.publicKey);
  });

  it('ends with its servers stopped, and its masters by themselves', async () => {
    await using fleet = await startTestFleet({ masters: 2 });
    await fleet.startPeel('web-01');
    await fleet.connect();
    await fleet.servers[0]?.kill();
    await fleet.masters[0]?.stop({ waitMs: 0 });
    await fleet.close();
    expect(fleet.masters).toHaveLength(2);
  });

  it('issues credentials that have a lifetime of their own', async () => {
    await using fleet = await startTestFleet();
    const { claims } = await loadCredsFile(await fleet.peelCreds('web-01', { expirySeconds: 90 }));
    expect((claims.exp ?? 0) - claims.iat).toBe(90);
    await refusal('ERR_FLEET_ID_TAKEN', () => fleet.peelCreds('web-01'));
  });

  it.skipIf(noCluster)('has a cluster that survives the death of its leader', async () => {
    await using fleet = await startTestFleet({ servers: 3 });
    const peel = await fleet.startPeel('web-01');
    await fleet.servers[2]?.kill();
    const admin = await fleet.connect();
    // the peel may have been connected to the killed server
    const answers = async () => {
      for await (const { ok } of admin.peels.exec(peel.id, 'ping')) return ok;
      return false;
    };
    expect(await waitFor('an answer of the peel', answers)).toBe(true);
  });

  it.each<[object, string]>([
    [{ mster: {} }, 'did you mean "master"?'],
    [{ master: { polcy: 'manual' } }, 'did you mean "policy"?'],
    [{ servers: 2 }, 'give 1, or 3'],
    [{ servers: 0 }, 'give 1, or 3'],
    [{ masters: -1 }, 'how many'],
  ])('refuses %j', async (options, hint) => {
    const error = await refusal('ERR_FLEET_CONFIG', () => startTestFleet(options));
    expect(error.message).toContain(hint);
  });
});

describe('a start that fails', () => {
  it.each([startTestServer, startTestFleet])('of %o leaves nothing behind', async (start) => {
    const { TMPDIR } = process.env;
    process.env['TMPDIR'] = await tempDir();
    try {
      await refusal('ERR_NATS_SERVER_START', () => start({ program: '/bin/false' }));
      expect(await readdir(process.env['TMPDIR'])).toEqual([]);
    } finally {
      if (TMPDIR === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = TMPDIR;
    }
  });
});
