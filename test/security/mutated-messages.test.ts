/**
 * Mutated messages on every subject that others may publish to, at a real master and a real peel: neither dies or grows, and
 * both serve afterwards. `npm run test:fuzz` sends 100,000, `npm run test:security` fewer.
 */
import { headers as newHeaders, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../src/creds/parse.js';
import { requestPeel } from '../../src/fleet-client/request-peel.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { ADMIN_VERBS } from '../../src/permissions/admin-roles.js';
import {
  ADMIN_INBOX_PREFIX,
  adminSubject,
  authSubject,
  commandSubject,
  enrollSubject,
  noticeSubject,
  type AdminVerb,
  type EnrollVerb,
} from '../../src/permissions/names.js';
import { recoveryName } from '../../src/permissions/recovery.js';
import { newRequestId, type AdminClient } from '../../src/protocol/ask.js';
import { MessageSigner } from '../../src/protocol/signed.js';
import { signRequest } from '../../src/protocol/signed-request.js';
import type { MasterLogger } from '../../src/master/logger.js';
import { recoveryPath } from '../../src/peel/recovery-files.js';
import { mutate } from '../fuzz/mutate.js';
import { addPeel, createToken, type BarePeel } from '../integration/fleet/asking.js';
import { startFleet, type Fleet } from '../integration/fleet/fleet.js';
import { addCreds, TestPeel } from '../integration/fleet/peels.js';
import { atEnd } from '../support/cleanup.js';
import { seededRandom } from '../support/random.js';

const COUNT = Number(
  process.env['ZESTER_MUTATED_MESSAGES'] ?? (process.env['ZESTER_SECURITY'] === 'full' ? 10_000 : 1_000),
);
/** What the heap may grow by, in bytes: far less than the messages have together. */
const GROWTH = 64 * 1024 * 1024;
const random = seededRandom();
/** What the master logged as errors. */
const errors: unknown[] = [];
let logged = 0;
const count = () => void (logged += 1);
const logger: MasterLogger = {
  debug: count,
  info: count,
  warn: count,
  error: (fields, text) => void errors.push({ text, ...fields }),
};
const HOST = 'web-01';
const VICTIM = 'web-02';
const OTHER = 'web-08';

let fleet: Fleet;
let admin: AdminClient;
let victim: TestPeel;
let other: BarePeel;

/** Somebody who sends, and where to. */
interface Sender {
  nc: NatsConnection;
  subjects: string[];
  signer?: MessageSigner;
}

async function connectWith(path: string, inboxPrefix?: string): Promise<NatsConnection> {
  const creds = await loadCredsFile(path);
  const nc = await connect({
    servers: fleet.servers,
    ...creds.natsOption(),
    ...(inboxPrefix !== undefined && { inboxPrefix }),
    // a flood is cut; it goes on
    maxReconnectAttempts: -1,
    reconnectTimeWait: 20,
    reconnectJitter: 0,
    ignoreAuthErrorAbort: true,
  });
  atEnd(() => nc.close());
  return nc;
}

const { publicKey } = generateKeyBundle('user');
const PAYLOADS: readonly Uint8Array[] = [
  '',
  '{}',
  JSON.stringify({ requestId: newRequestId(), publicKey }),
  JSON.stringify({
    requestId: newRequestId(),
    peelId: 'web-03',
    publicKey,
    challenge: 'x',
    signature: 'A'.repeat(86),
  }),
  JSON.stringify({
    requestId: newRequestId(),
    publicKey,
    newPublicKey: publicKey,
    signature: 'A',
    newSignature: 'A',
  }),
  JSON.stringify({
    publicKey,
    newPublicKey: publicKey,
    count: 1,
    credential: 'ey',
    challenge: 'x',
    signature: 'x',
  }),
  JSON.stringify({
    peelId: 'web-03',
    pattern: '*',
    limit: 5,
    sort: 'id',
    reason: 'r',
    tokenId: 'abcdefghijkl',
    ttl: 5,
    uses: 1,
  }),
  JSON.stringify({ handler: 'ping', args: ['a'] }),
  JSON.stringify({ handler: 'facts', args: [] }),
  JSON.stringify({ kind: 'rotate', peelId: VICTIM, publicKey, at: new Date().toISOString() }),
  JSON.stringify({ kind: 'ended', peelId: VICTIM, code: 'ERR_FLEET_REVOKED', at: new Date().toISOString() }),
  JSON.stringify({ peelId: VICTIM, result: { a: 1 }, error: { code: 'ERR_X', message: 'm' } }),
].map((text) => Buffer.from(text));

const HEADERS = ['Zester-Jwt', 'Zester-Signature', 'Zester-Time', 'Zester-Nonce', 'Zester-Request-Signature'];

function randomHeaders(): MsgHdrs {
  const headers = newHeaders();
  const names = [...HEADERS, 'Nats-Msg-Id', 'Nats-Rollup', 'Nats-Expected-Last-Sequence', 'Status', 'X'];
  for (let n = random.below(4); n > 0; n--) {
    const value = Buffer.from(mutate(random.pick(PAYLOADS), PAYLOADS, random)).toString('latin1');
    headers.append(random.pick(names), value.replace(/[\r\n]/g, '').slice(0, 200));
  }
  return headers;
}

function send({ nc, subjects, signer }: Sender): void {
  const subject = random.pick(subjects);
  // headers count too
  const most = Math.max(0, (nc.info?.max_payload ?? 0) - 3_000);
  const data = Buffer.from(mutate(random.pick(PAYLOADS), PAYLOADS, random).subarray(0, most));
  // an admin may revoke those that are to serve afterwards, so no request that is signed names them
  const isHarmless = ![VICTIM, OTHER].some((id) => data.includes(id));
  const isSigned = signer !== undefined && isHarmless && random.below(2) === 0;
  const headers = isSigned ? signRequest(signer, subject, data) : randomHeaders();
  const reply = random.pick([
    undefined,
    `${subject}.reply`,
    'zester.cmd.web-02',
    '_INBOX.x.y',
    '$JS.API.INFO',
  ]);
  nc.publish(subject, data, { headers, ...(reply !== undefined && { reply }) });
}

beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 900, logger });
  admin = await fleet.admin();
  victim = await TestPeel.start(fleet, await addCreds(fleet, admin, VICTIM));
  other = await addPeel(fleet, admin, OTHER);
  await fleet.record(VICTIM, ({ state }) => state === 'active');
});

async function senders(): Promise<Sender[]> {
  const path = await addCreds(fleet, admin, HOST);
  // the recovery file holds a JWT for the peel's own key
  const recovery = join(fleet.home.dir, 'recovery.creds');
  const recoveryJwt = (await readFile(recoveryPath(path), 'utf8')).trim();
  await writeFile(recovery, (await readFile(path, 'utf8')).replace(/ey[\w.-]+/, recoveryJwt), {
    mode: 0o600,
  });
  const token = await createToken(admin, fleet);
  const { paths } = await fleet.home.domain();
  const verbs = (user: string) =>
    ['challenge', 'join', 'recover', 'other'].map((verb) => enrollSubject(user, verb as EnrollVerb));
  const adminVerbs = [...(Object.keys(ADMIN_VERBS) as AdminVerb[]), 'other' as AdminVerb];
  return [
    {
      nc: await connectWith(path),
      subjects: [
        ...['renew', 'rotate', 'other', 'renew.x'].map((verb) => authSubject(HOST, verb as 'renew')),
        ...['started', 'a.b.c'].map((name) => `zester.event.${HOST}.${name}`),
      ],
    },
    { nc: token.nc, subjects: verbs(token.user) },
    { nc: await connectWith(recovery), subjects: verbs(recoveryName(HOST)) },
    {
      nc: await connectWith(paths.adminCreds, ADMIN_INBOX_PREFIX),
      subjects: [
        ...adminVerbs.map((verb) => adminSubject(verb)),
        ...['PING', 'INFO', 'STATS', 'PING.zester', 'INFO.zester'].map((verb) => `$SRV.${verb}`),
        ...[commandSubject(VICTIM), `${commandSubject(VICTIM)}.x`, noticeSubject(VICTIM)],
      ],
      signer: new MessageSigner(await loadCredsFile(paths.adminCreds)),
    },
  ];
}

function heap(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('a master and a peel that get mutated messages', () => {
  it('neither die nor grow, and serve afterwards', { timeout: 1_800_000 }, async () => {
    const all = await senders();
    const before = heap();
    for (let sent = 0; sent < COUNT; sent++) {
      send(random.pick(all));
      // at the pace of the servers, which would cut a client that is far behind
      if (sent % 200 === 199)
        await Promise.all(
          all.map(({ nc }) => (nc.isClosed() ? undefined : nc.flush().catch(() => undefined))),
        );
    }
    await Promise.all(all.map(({ nc }) => (nc.isClosed() ? undefined : nc.flush().catch(() => undefined))));
    // the master takes what comes in its order: this is answered after all of it
    const { record } = await admin.ask('peel.show', { peelId: VICTIM });
    expect(record.state, `seed ${random.seed}`).toBe('active');
    const asker = await connectWith((await fleet.home.domain()).paths.adminCreds, ADMIN_INBOX_PREFIX);
    const answer = await requestPeel(asker, VICTIM, JSON.stringify({ handler: 'ping', args: [] }));
    expect(answer.json()).toMatchObject({ peelId: VICTIM });
    expect((await other.renewAgain()).jwt).toMatch(/^ey/);
    const fresh = await addPeel(fleet, admin, 'web-09');
    expect((await fresh.renewAgain()).jwt).toMatch(/^ey/);
    expect(victim.events.filter(({ type }) => type === 'ended')).toEqual([]);
    const growth = heap() - before;
    process.stdout.write(
      `mutated messages, seed ${random.seed}: ${COUNT} sent, heap ${(growth / 2 ** 20).toFixed(1)} MiB, ` +
        `${(await fleet.audit()).length} audit events, ${logged} log lines\n`,
    );
    expect(growth).toBeLessThan(GROWTH);
    // what others choose makes no label
    const metrics = (await fleet.master.metricsText()).trimEnd().split('\n');
    expect(metrics.length).toBeLessThan(500);
    for (const line of metrics) expect(line).toMatch(/^[ -~]*$/);
    expect(errors).toEqual([]);
  });
});
