import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectMaster, connectPeel } from '../../../src/connection/connect.js';
import { startMaster, type MasterOptions } from '../../../src/master/master.js';
import { joinName } from '../../../src/permissions/roles.js';
import { joinFleet } from '../../../src/peel/join.js';
import { startPeel } from '../../../src/peel/peel.js';
import { createTrustDomain } from '../../../src/trust/create/create.js';
import { createTlsFiles, type TlsFiles } from '../../support/certificates.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { refusal } from '../../support/refusal.js';
import { tempDir } from '../../support/temp-dir.js';
import { connectedUsers } from './support.js';

let server: OperatorServer;
let credsPath: string;
let files: TlsFiles;
let notPem: string;
let damaged: string;
let otherKey: string;
beforeAll(async () => {
  server = await startOperatorServer();
  credsPath = await server.bootstrap('web-01');
  files = await createTlsFiles();
  notPem = join(server.dir, 'not-pem.crt');
  damaged = join(server.dir, 'damaged.crt');
  otherKey = join(server.dir, 'other.key');
  await writeFile(notPem, 'no certificate');
  await writeFile(damaged, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  await copyFile((await createTlsFiles()).clientKey, otherKey);
});

const CASES: [what: string, code: string, options: () => object][] = [
  ['an invalid URL', 'ERR_CONNECT_URL', () => ({ servers: 'http://x y' })],
  ['one invalid URL among others', 'ERR_CONNECT_URL', () => ({ servers: [server.url, 'nats://a:99999'] })],
  ['no servers', 'ERR_CONNECT_NO_SERVERS', () => ({ servers: [] })],
  ['an empty list', 'ERR_CONNECT_NO_SERVERS', () => ({ servers: ' , ' })],
  ['a missing caFile', 'ERR_CONNECT_TLS_FILE', () => ({ tls: { caFile: '/none/ca.crt' } })],
  ['a directory as caFile', 'ERR_CONNECT_TLS_FILE', () => ({ tls: { caFile: server.dir } })],
  ['a caFile that is no PEM', 'ERR_CONNECT_TLS_FILE', () => ({ tls: { caFile: notPem } })],
  ['a damaged caFile', 'ERR_CONNECT_TLS_FILE', () => ({ tls: { caFile: damaged } })],
  ['a key as caFile', 'ERR_CONNECT_TLS_FILE', () => ({ tls: { caFile: files.clientKey } })],
  [
    'a missing key',
    'ERR_CONNECT_TLS_FILE',
    () => ({ tls: { certFile: files.clientCert, keyFile: '/none/key' } }),
  ],
  [
    'the key of another certificate',
    'ERR_CONNECT_TLS_FILE',
    () => ({ tls: { certFile: files.clientCert, keyFile: otherKey } }),
  ],
  ['a certificate without its key', 'ERR_CONNECT_OPTIONS', () => ({ tls: { certFile: files.clientCert } })],
  [
    'a plain URL that TLS is required of',
    'ERR_CONNECT_PLAIN',
    () => ({ servers: 'nats://a', requireTls: true }),
  ],
  ['a bad wait', 'ERR_CONNECT_OPTIONS', () => ({ reconnectTimeWait: NaN })],
  ['a bad timeout', 'ERR_CONNECT_OPTIONS', () => ({ timeout: -1 })],
  ['no reconnects', 'ERR_CONNECT_OPTIONS', () => ({ reconnect: false })],
  ['few reconnects', 'ERR_CONNECT_OPTIONS', () => ({ maxReconnectAttempts: 1 })],
  ['inboxes of its own', 'ERR_CONNECT_OPTIONS', () => ({ inboxPrefix: '_INBOX.x' })],
];
const OWN: typeof CASES = [
  ['a negative buffer', 'ERR_CONNECT_OPTIONS', () => ({ reconnectBufferSize: -5 })],
  ['a buffer of no size', 'ERR_CONNECT_OPTIONS', () => ({ reconnectBufferSize: NaN })],
  ['a bad drain timeout', 'ERR_CONNECT_OPTIONS', () => ({ drainTimeout: -1 })],
  ['a bad handover timeout', 'ERR_CONNECT_OPTIONS', () => ({ handoverTimeout: 1e12 })],
  ['an unknown way to rotate', 'ERR_CONNECT_OPTIONS', () => ({ rotate: 'hitles' })],
];

describe('options that can never work fail at once, with their own code', () => {
  it.each([...CASES, ...OWN])(
    'connectPeel, connectMaster and startPeel: %s',
    async (_what, code, options) => {
      const all = { servers: server.url, credsPath, ...options() };
      await refusal(code, () => connectPeel({ ...all, peelId: 'web-01' }));
      await refusal(code, () => connectMaster(all));
      await refusal(code, () => startPeel(all));
      // do not wait for a missing server
      await refusal(code, () => startPeel({ ...all, servers: 'nats://127.0.0.1:1', ...options() }));
    },
  );

  it.each([{ concurrency: 0 }, { queue: -1 }, { timeoutMs: NaN }])(
    'startPeel: commands %o',
    async (commands) => {
      await refusal('ERR_CONNECT_OPTIONS', () => startPeel({ servers: server.url, credsPath, commands }));
    },
  );

  it.each([
    ...CASES,
    ['a bad wait for all', 'ERR_CONNECT_OPTIONS', () => ({ waitMs: NaN })] as (typeof CASES)[0],
  ])('joinFleet: %s', async (_what, code, options) => {
    const token = await server.user(joinName('ABCDEFGHIJKL'));
    await refusal(code, () =>
      joinFleet({ servers: server.url, token, peelId: 'a', out: join(server.dir, 'a.creds'), ...options() }),
    );
  });

  it('leaves no connection open', async () => {
    const system = await server.systemConnection();
    expect((await connectedUsers(system)).filter(({ name }) => name.startsWith('zester-'))).toEqual([]);
    await system.close();
  });
});

it.each<[string, string, Partial<MasterOptions>]>([
  ['no servers', 'ERR_CONNECT_NO_SERVERS', { servers: [] }],
  ['an invalid URL', 'ERR_CONNECT_URL', { servers: 'http://x y' }],
  ['a missing caFile', 'ERR_CONNECT_TLS_FILE', { tls: { caFile: '/none/ca.crt' } }],
  ['an unknown policy', 'ERR_FLEET_CONFIG', { policy: 'auto-trsuted' as 'manual' }],
  ['a negative lifetime', 'ERR_FLEET_CONFIG', { lifetime: -1 }],
  ['a lifetime that is no number', 'ERR_FLEET_CONFIG', { lifetime: NaN }],
  ['a bad wait for the store', 'ERR_FLEET_CONFIG', { storeWaitMs: NaN }],
  ['no copies', 'ERR_FLEET_CONFIG', { replicas: 0 }],
  ['an even number of copies', 'ERR_FLEET_CONFIG', { replicas: 2 }],
  ['a bad breaker', 'ERR_FLEET_CONFIG', { breaker: { share: 2 } }],
])('startMaster ends at once with %s', async (_what, code, options) => {
  const home = join(await tempDir(), 'home');
  await createTrustDomain(home);
  await refusal(code, () => startMaster({ home, ...options }));
});
