/**
 * The specification of credentials files and connection options, promise by promise, on a real server. The rest is in
 * test/creds/spec.test.ts.
 */
import { readFile } from 'node:fs/promises';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  bootstrapPeelCreds,
  connectPeel,
  generateKeyBundle,
  loadCredsFile,
  natsOptionFromSeed,
  natsOptionsForMaster,
  natsOptionsForPeel,
  parseCredsData,
  type NatsOptions,
} from '../../src/index.js';
import { ReconnectBufferExceededError } from '../../src/errors.js';
import { atEnd } from '../support/cleanup.js';
import { startNkeyServer } from '../support/nkey-server.js';
import { startOperatorServer, type OperatorServer } from '../support/operator-server.js';
import { nextStatus } from '../support/status.js';

let server: OperatorServer;
let system: NatsConnection;

beforeAll(async () => {
  server = await startOperatorServer();
  system = await server.systemConnection();
});

async function open(options: NatsOptions): Promise<NatsConnection> {
  const nc = await connect({ servers: server.url, ...options });
  atEnd(() => nc.close());
  return nc;
}

/** The server's list of connections, with users and keys. */
async function connections(): Promise<{ name?: string; authorized_user?: string; cid: number }[]> {
  const answer = await system.request('$SYS.REQ.SERVER.PING.CONNZ', JSON.stringify({ auth: true }), {
    timeout: 5_000,
  });
  return answer.json<{ data: { connections: { name?: string; authorized_user?: string; cid: number }[] } }>()
    .data.connections;
}

/** The public key by which a connection is known to the server. */
async function keyOf(nc: NatsConnection): Promise<string | undefined> {
  const id = nc.info?.client_id;
  return (await connections()).find(({ cid }) => cid === id)?.authorized_user;
}

/** Drops the connection and waits until it is back. */
async function reconnect(nc: NatsConnection): Promise<void> {
  const back = nextStatus(nc, 'reconnect');
  await nc.reconnect();
  await back;
}

describe('Connecting to NATS', () => {
  it('natsOption() authenticates a NATS connection', async () => {
    const path = await server.bootstrap('connecting-01');
    const creds = await loadCredsFile(path);
    const nc = await open(creds.natsOption());
    expect(await keyOf(nc)).toBe(creds.publicKey);
  });
});

describe('File-Based vs Inline Authentication', () => {
  it('if the .creds file is replaced on disk, the client picks up the new credentials on reconnect', async () => {
    const path = await server.bootstrap('file-01');
    const first = await loadCredsFile(path);
    const nc = await open({ ...first.natsOption(), reconnectTimeWait: 50 });
    expect(await keyOf(nc)).toBe(first.publicKey);
    await server.bootstrap('file-01', { path });
    const second = await loadCredsFile(path);
    expect(second.publicKey).not.toBe(first.publicKey);
    await reconnect(nc);
    expect(await keyOf(nc)).toBe(second.publicKey);
  });

  it('parsed from bytes it is useful for embedded scenarios but does not support rotation', async () => {
    const path = await server.bootstrap('bytes-01');
    const creds = parseCredsData(await readFile(path), path);
    const nc = await open({ ...creds.natsOption(), reconnectTimeWait: 50 });
    await server.bootstrap('bytes-01', { path });
    await reconnect(nc);
    expect(await keyOf(nc)).toBe(creds.publicKey);
  });
});

describe('Seed-Only Authentication', () => {
  it('the server verifies the signature against a list of trusted public keys', async () => {
    const [trusted, stranger] = [generateKeyBundle('user'), generateKeyBundle('user')];
    const plain = await startNkeyServer([trusted.publicKey]);
    const nc = await open({ servers: plain.url, ...natsOptionFromSeed(trusted.seed) });
    await nc.flush();
    await expect(
      connect({ servers: plain.url, ...natsOptionFromSeed(stranger.seed), reconnect: false }),
    ).rejects.toThrow(/authorization violation/i);
  });
});

describe('Peel Connection Options', () => {
  it('zester-peel-<peelID> identifies the peel at the server', async () => {
    const path = await server.bootstrap('web-server-01');
    const nc = await open(natsOptionsForPeel(path, 'web-server-01'));
    const id = nc.info?.client_id;
    const found = (await connections()).find(({ cid }) => cid === id);
    expect(found).toMatchObject({
      name: 'zester-peel-web-server-01',
      authorized_user: (await loadCredsFile(path)).publicKey,
    });
  });

  it('Reconnect buffer: 8 MB for messages during reconnection', async () => {
    const own = await startOperatorServer();
    const path = await own.bootstrap('buffer-01');
    const nc = await connectPeel({
      servers: own.url,
      credsPath: path,
      peelId: 'buffer-01',
      reconnectTimeWait: 50,
    });
    atEnd(() => nc.close());
    const down = nextStatus(nc, 'disconnect');
    await own.kill();
    await down;
    const subject = 'zester.event.buffer-01.x';
    // 64 messages of 128 KiB, which is the payload limit of a peel
    const message = new Uint8Array(2 ** 17 - subject.length);
    for (let i = 0; i < 64; i++) nc.publish(subject, message);
    expect(nc.buffered).toEqual({ messages: 64, bytes: 8 * 2 ** 20 });
    expect(() => nc.publish(subject)).toThrow(ReconnectBufferExceededError);
  });
});

describe('Master Connection Options', () => {
  it('zester-master identifies the master at the server', async () => {
    const path = await server.user('zester-master');
    const nc = await open(natsOptionsForMaster(path));
    const id = nc.info?.client_id;
    expect((await connections()).find(({ cid }) => cid === id)?.name).toBe('zester-master');
  });
});

describe('Credential Distribution Workflow', () => {
  it('the master can generate credentials for new peels via bootstrapPeelCreds', async () => {
    const path = `${server.dir}/provisioned.creds`;
    const { user } = await bootstrapPeelCreds(server.trust.account.key, 'provisioned-01', path);
    const nc = await open(natsOptionsForPeel(path, 'provisioned-01'));
    expect(await keyOf(nc)).toBe(user.publicKey);
  });
});
