import { readFileSync } from 'node:fs';
import { connect, credsAuthenticator, nkeyAuthenticator } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateKeyBundle, loadCredsFile } from '../../../src/index.js';
import { startNkeyServer } from '../../support/nkey-server.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';

describe('the stock authenticators of @nats-io/transport-node', () => {
  let server: OperatorServer;
  beforeAll(async () => {
    server = await startOperatorServer();
  });

  it.each([
    ['with its subjects in its JWT', false],
    ['scoped', true],
  ])('connect with a .creds file of bootstrapPeelCreds, %s', async (_, scoped) => {
    const path = await server.bootstrap('web-01', { scoped });
    const listener = await server.connect(await server.user('listener'));
    const heard = listener.subscribe('zester.event.web-01.up', { max: 1 });
    await listener.flush();
    const nc = await connect({
      servers: server.url,
      authenticator: credsAuthenticator(() => readFileSync(path)),
      reconnect: false,
    });
    nc.publish('zester.event.web-01.up', 'from the stock client');
    await nc.flush();
    for await (const message of heard) expect(message.string()).toBe('from the stock client');
    expect(heard.getProcessed()).toBe(1);
    await nc.close();
    expect((await loadCredsFile(path)).claims.name).toBe('web-01');
  });

  it('connect with a seed of ours', async () => {
    const user = generateKeyBundle('user');
    const plain = await startNkeyServer([user.publicKey]);
    const nc = await connect({
      servers: plain.url,
      authenticator: nkeyAuthenticator(user.seed),
      reconnect: false,
    });
    await nc.flush();
    expect(nc.isClosed()).toBe(false);
    await nc.close();
  });
});
