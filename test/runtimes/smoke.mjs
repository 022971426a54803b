// What a program of a user does with the installed package, once: scripts/test-runtimes runs it on each runtime. It starts
// real servers with zester/testing, and says each step that it has done.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import {
  bootstrapPeelCreds,
  connectPeel,
  generateFullHierarchy,
  generateKeyBundle,
  isZesterError,
  issuePeelCredentials,
  loadCredsFile,
  parseCredsData,
  validateJwtChain,
} from 'zester';
import { joinFleet } from 'zester/peel';
import { startTestFleet, startTestServer } from 'zester/testing';

const { deno, bun, node } = process.versions;
console.log(`runtime ${deno ?? bun ?? node}`);
const ok = (step) => console.log(`ok ${step}`);

{
  const { operatorJwt, accountJwt, userJwt } = generateFullHierarchy('acme', 'fleet', 'web-01');
  validateJwtChain(operatorJwt, accountJwt, userJwt);
  assert.throws(() => parseCredsData('nothing', 'test'), isZesterError);
  const key = generateKeyBundle('user');
  key.wipe();
  assert.throws(() => key.seed);
  ok('keys');
}

const server = await startTestServer();
const { trust, url, dir } = server;
const scope = { issuerAccount: trust.account.key.publicKey, scoped: true };
{
  const path = join(dir, 'made.creds');
  await bootstrapPeelCreds(trust.peelSigner, 'web-01', path, { ...scope, expiry: 600, ifAbsent: true });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await assert.rejects(bootstrapPeelCreds(trust.peelSigner, 'web-01', path, { ...scope, ifAbsent: true }));
  ok('create');
  const creds = await loadCredsFile(path);
  assert.equal(creds.claims.name, 'web-01');
  validateJwtChain(trust.operatorJwt, trust.account.jwt, creds.jwt);
  assert.ok(!JSON.stringify(creds).includes('SUA'));
  ok('parse');
}

for (const rotate of ['reconnect', 'hitless']) {
  const peelId = `rotates-${rotate}`;
  const credsPath = await server.peelCreds(peelId);
  const messages = [];
  const listener = await server.connect(await server.userCreds('listener'));
  listener.subscribe('zester.event.>', { callback: (_error, message) => messages.push(message.string()) });
  await listener.flush();
  const nc = await connectPeel({ servers: url, credsPath, peelId, rotate, reconnectTimeWait: 50 });
  if (rotate === 'reconnect') ok('connect');
  const rotated = (async () => {
    for await (const { type } of nc.events()) if (type === 'rotated') return;
  })();
  nc.publish(`zester.event.${peelId}.x`, 'before');
  await nc.flush();
  await server.peelCreds(peelId, { path: credsPath });
  await rotated;
  nc.publish(`zester.event.${peelId}.x`, 'after');
  await nc.flush();
  await listener.flush();
  assert.deepEqual(messages, ['before', 'after']);
  await nc.close();
  await listener.close();
  ok(`rotate-${rotate}`);
}

{
  const peelId = 'survives';
  const credsPath = await server.peelCreds(peelId);
  const nc = await connectPeel({
    servers: url,
    credsPath,
    peelId,
    reconnectTimeWait: 50,
    reconnectJitter: 0,
  });
  const down = (async () => {
    for await (const { type } of nc.status()) if (type === 'disconnect') return;
  })();
  await server.process.kill();
  await down;
  nc.publish(`zester.event.${peelId}.x`, 'kept');
  assert.equal(nc.buffered.messages, 1);
  await server.process.start();
  await nc.flush();
  assert.equal(nc.buffered.messages, 0);
  await nc.drain();
  ok('outage');
}

{
  const ids = Array.from({ length: 600 }, (_, i) => `web-${i}`);
  const issued = new Set();
  const credentials = issuePeelCredentials(ids, { signer: trust.peelSigner, ...scope, workers: 2 });
  for await (const { peelId, content } of credentials) {
    assert.equal(parseCredsData(content, peelId).claims.name, peelId);
    issued.add(peelId);
  }
  assert.equal(issued.size, 600);
  ok('bulk');
}
await server.close();

const fleet = await startTestFleet({ master: { policy: 'auto-all', lifetimeSeconds: 86_400 } });
{
  const handlers = { add: ([a, b]) => Number(a) + Number(b) };
  const peel = await fleet.startPeel('web-01', { handlers });
  const admin = await fleet.connect();
  for await (const reply of admin.peels.exec('web-01', 'add', ['1', '2'])) assert.equal(reply.result, 3);
  ok('startPeel');
  const before = peel.credentials.claims.exp;
  const renewed = (async () => {
    for await (const { type } of peel.events()) if (type === 'renewed') return;
  })();
  fleet.clock.advance(20 * 3_600_000);
  await renewed;
  assert.ok(peel.credentials.claims.exp > before);
  const { publicKey } = peel.credentials;
  assert.notEqual(await peel.rotate(), publicKey);
  ok('renew');
  const out = join(fleet.dir, 'db-01.creds');
  await joinFleet({ servers: fleet.urls, token: await fleet.joinToken(), peelId: 'db-01', out });
  ok('join');
  await admin.peels.revoke('web-01', { reason: 'stolen' });
  assert.equal((await peel.closed).reason, 'ended');
  ok('revoke');
  await peel.drain();
}
await fleet.close();
ok('close');
