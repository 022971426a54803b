import { pathToFileURL } from 'node:url';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  decodeAccountJwt,
  fetchAccountJwt,
  generateKeyBundle,
  loadCredsFile,
  pushAccountJwt,
  reviseAccountJwt,
  revokeUsers,
  type AccountServers,
  type RevokeUsersOptions,
} from '../../../src/index.js';
import { PERMANENT } from '../../../src/jwt/revoke-up-to.js';
import { startCluster, type OperatorCluster } from '../../support/cluster.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { refusal } from '../../support/refusal.js';

/** Revoking and pushing with keys and JWTs in memory, without a home. */

let server: OperatorServer;
let servers: AccountServers;
let current: string;

async function accessTo(
  of: OperatorServer | OperatorCluster,
  urls: string | readonly string[],
): Promise<AccountServers> {
  const { operatorJwt, systemAccount } = of.trust;
  return {
    operatorJwt,
    servers: urls,
    systemCredentials: await of.user('sys', { signer: systemAccount.key }),
  };
}

const revoking = (more: Partial<RevokeUsersOptions> = {}): RevokeUsersOptions => ({
  ...servers,
  accountJwt: server.trust.account.jwt,
  signer: server.trust.operatorSigner,
  ...more,
});

const fetched = async () => (await fetchAccountJwt(server.trust.account.key.publicKey, servers)) ?? '';

beforeAll(async () => {
  server = await startOperatorServer();
  servers = await accessTo(server, server.url);
});

beforeEach(async () => {
  current = await fetched();
});

describe('revoking users of an account', () => {
  it('cuts their connections and keeps them out, and leaves others alone', async () => {
    const [aliceFile, bobFile] = [await server.user('alice'), await server.user('bob')];
    const alice = (await loadCredsFile(aliceFile)).publicKey;
    const [aliceNc, bobNc] = [
      await server.connect(aliceFile, { reconnect: false }),
      await server.connect(bobFile),
    ];
    const done = await revokeUsers([alice], revoking());
    expect(done).toMatchObject({ complete: true, failed: [], notReached: [], upTo: { [alice]: PERMANENT } });
    expect(done.confirmed).toHaveLength(1);
    await aliceNc.closed();
    await expect(server.connect(aliceFile, { reconnect: false })).rejects.toThrow(/authorization/i);
    await bobNc.flush();
    expect(await fetched()).toBe(done.accountJwt);
  });

  it("keeps other tools' changes of the account, including those newer than the given account JWT", async () => {
    const [one, two] = [1, 2].map(() => generateKeyBundle('user').publicKey) as [string, string];
    const signingKey = generateKeyBundle('account').publicKey;
    const changed = reviseAccountJwt(current, server.trust.operatorSigner, {
      signingKeys: { add: [signingKey] },
      revoke: [one],
      limits: { connections: 77 },
    });
    await pushAccountJwt(changed, servers);
    const { accountJwt } = await revokeUsers({ [two]: 1_700_000_000 }, revoking());
    const { nats } = decodeAccountJwt(accountJwt);
    expect(nats.revocations).toMatchObject({ [one]: PERMANENT, [two]: 1_700_000_000 });
    expect(nats.signing_keys).toContain(signingKey);
    expect(nats.limits).toMatchObject({ conn: 77 });
  });

  it('is refused with a signer that the operator does not let sign accounts, and nothing is pushed', async () => {
    const user = generateKeyBundle('user').publicKey;
    const stranger = generateKeyBundle('operator');
    await refusal(
      'ERR_CHAIN_ACCOUNT_ISSUER',
      () => revokeUsers([user], revoking({ signer: stranger })),
      stranger.seed,
    );
    await refusal('ERR_JWT_OPTIONS', () => revokeUsers(['nobody'], revoking()));
    await refusal('ERR_NATS_SERVER_OPTIONS', () =>
      revokeUsers([user], { ...revoking(), server: 'nats://x' } as unknown as RevokeUsersOptions),
    );
    expect(await fetched()).toBe(current);
  });

  it('reports credentials of another account, and servers that do not answer', async () => {
    const user = generateKeyBundle('user').publicKey;
    const systemCredentials = await server.user('alice');
    await refusal('ERR_NATS_SERVER_NOT_SYSTEM', () => revokeUsers([user], revoking({ systemCredentials })));
    await refusal('ERR_NATS_SERVER_UNREACHABLE', () =>
      revokeUsers([user], revoking({ servers: 'nats://127.0.0.1:1' })),
    );
  });

  it('accepts system credentials as a file: URL, or parsed ones, which stay usable', async () => {
    const path = servers.systemCredentials as string;
    const creds = await loadCredsFile(path);
    for (const systemCredentials of [pathToFileURL(path), creds, creds]) {
      expect(
        await fetchAccountJwt(server.trust.account.key.publicKey, { ...servers, systemCredentials }),
      ).toBe(current);
    }
  });
});

describe('an account JWT that is pushed', () => {
  it('is in force on the server', async () => {
    const next = reviseAccountJwt(current, server.trust.operatorSigner, { description: 'pushed' });
    expect(await pushAccountJwt(next, servers)).toMatchObject({ complete: true, failed: [], notReached: [] });
    expect(await fetched()).toBe(next);
    expect(await pushAccountJwt(next, servers), 'once more').toMatchObject({ complete: true });
  });

  it('is refused when the servers have a newer one', async () => {
    const next = reviseAccountJwt(current, server.trust.operatorSigner, { description: 'newer' });
    await pushAccountJwt(next, servers);
    await refusal('ERR_NATS_SERVER_PUSH_REFUSED', () => pushAccountJwt(current, servers));
    expect(await fetched()).toBe(next);
  });

  it('is refused if it lacks a revocation or a signing key that the servers have, unless allowRemovals is set', async () => {
    const user = generateKeyBundle('user').publicKey;
    await pushAccountJwt(reviseAccountJwt(current, server.trust.operatorSigner, { revoke: [user] }), servers);
    const without = reviseAccountJwt(await fetched(), server.trust.operatorSigner, { unrevoke: [user] });
    const error = await refusal('ERR_NATS_SERVER_PUSH_REFUSED', () => pushAccountJwt(without, servers));
    expect(error.message).toContain(user);
    expect(await pushAccountJwt(without, { ...servers, allowRemovals: true })).toMatchObject({
      complete: true,
    });
    expect(decodeAccountJwt(await fetched()).nats.revocations).not.toHaveProperty(user);
  });

  it('is refused when no key of the operator signed it', async () => {
    const foreign = reviseAccountJwt(current, generateKeyBundle('operator'), {});
    await refusal('ERR_CHAIN_ACCOUNT_ISSUER', () => pushAccountJwt(foreign, servers));
  });
});

describe('in a cluster with a server down', () => {
  it('a revocation is in force on the others, and the one that was not reached is named', async () => {
    const cluster = await startCluster(3);
    await cluster.node(2).stop();
    const file = await cluster.user('alice');
    const { publicKey } = await loadCredsFile(file);
    const done = await revokeUsers([publicKey], {
      ...(await accessTo(cluster, cluster.urls)),
      accountJwt: cluster.trust.account.jwt,
      signer: cluster.trust.operatorSigner,
    });
    expect(done.complete).toBe(false);
    expect(done.confirmed.sort()).toEqual(['n1', 'n2']);
    expect(done.notReached.join()).toMatch(/n3|127\.0\.0\.1/);
    expect(decodeAccountJwt(done.accountJwt).nats.revocations).toEqual({ [publicKey]: PERMANENT });
  });
});
