import { beforeAll, describe, expect, it } from 'vitest';
import { decodeAccountJwt, fetchAccountJwt, loadCredsFile, revokeUsers } from '../../../src/index.js';
import { atEnd } from '../../support/cleanup.js';
import { startCluster, type OperatorCluster } from '../../support/cluster.js';
import { startOperatorServer } from '../../support/operator-server.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

/**
 * A server that applies a new account JWT verifies the JWTs of all connections of the account, and reads nothing
 * meanwhile from the connection or route that delivered it (docs/nats-facts.md, 40): here, a proxy holds back everything
 * after the push.
 */
describe('revoking while the servers are busy applying the account JWT', () => {
  let cluster: OperatorCluster;
  let proxy: TcpProxy;

  const options = async () => {
    const { operatorJwt, systemAccount, account, operatorSigner } = cluster.trust;
    const servers = {
      operatorJwt,
      servers: proxy.url,
      systemCredentials: await cluster.user('sys', { signer: systemAccount.key }),
    };
    const direct = { ...servers, servers: cluster.urls };
    const accountJwt = (await fetchAccountJwt(account.key.publicKey, direct)) ?? account.jwt;
    return { ...servers, accountJwt, signer: operatorSigner };
  };

  beforeAll(async () => {
    cluster = await startCluster();
  });

  /** Only the first node is behind it; the cluster announces all. */
  const startProxy = async () => {
    proxy = await TcpProxy.start(() => cluster.node(0).port);
    atEnd(() => proxy.close());
  };

  it('is complete when every server enforces it and nobody is connected, before any server confirms the push', async () => {
    await startProxy();
    const alice = await cluster.user('alice');
    const { publicKey } = await loadCredsFile(alice);
    const connections = await Promise.all(
      cluster.urls.map((url) => cluster.connect(alice, { servers: url, reconnect: false })),
    );
    const given = await options();
    proxy.stallWith('CLAIMS.UPDATE');
    const { complete, confirmed, accountJwt } = await revokeUsers([publicKey], given);
    expect({ complete, confirmed }).toEqual({ complete: true, confirmed: ['n1', 'n2', 'n3'] });
    await Promise.all(connections.map((nc) => nc.closed()));
    expect(decodeAccountJwt(accountJwt).nats.revocations).toHaveProperty(publicKey);
    for (const url of cluster.urls)
      await expect(cluster.connect(alice, { servers: url, reconnect: false })).rejects.toThrow(
        /Authorization/,
      );
  });

  it('is not complete when no server got the push', async () => {
    await startProxy();
    const carol = await cluster.user('carol');
    const { publicKey } = await loadCredsFile(carol);
    const given = await options();
    proxy.stallWith('CLAIMS.UPDATE', { isDelivered: false });
    await expect(revokeUsers([publicKey], given)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_NATS_SERVER_PUSH_INCOMPLETE' }),
    );
    const nc = await cluster.connect(carol, { servers: cluster.urls, reconnect: false });
    await nc.close();
  });

  it('is not complete when the server can only be asked over the connection that the push blocks', async () => {
    const server = await startOperatorServer();
    const narrow = await TcpProxy.start(() => server.port);
    atEnd(() => narrow.close());
    const dave = await server.user('dave');
    const { publicKey } = await loadCredsFile(dave);
    const { operatorJwt, systemAccount, account, operatorSigner } = server.trust;
    narrow.stallWith('CLAIMS.UPDATE', { refuseOthers: true });
    const revoked = revokeUsers([publicKey], {
      operatorJwt,
      servers: narrow.url,
      systemCredentials: await server.user('sys', { signer: systemAccount.key }),
      accountJwt: account.jwt,
      signer: operatorSigner,
    });
    await expect(revoked).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_NATS_SERVER_PUSH_INCOMPLETE' }),
    );
  });
});
