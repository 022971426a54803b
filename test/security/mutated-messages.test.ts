/**
 * Sends mutated messages on every subject that others may publish to, to separate processes of `zester master` and
 * `zester peel run`: neither dies or grows, and both serve afterwards. `npm run test:fuzz` sends 100,000, the other
 * suites fewer (`ZESTER_MUTATED_MESSAGES` sets the number).
 */
import type { NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeCredsFile } from '../../src/creds/generate.js';
import { loadCredsFile } from '../../src/creds/parse.js';
import { requestPeel } from '../../src/fleet-client/request-peel.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { recoverCredentials } from '../../src/peel/recover.js';
import { recoveryPath } from '../../src/peel/recovery-files.js';
import { ADDED_ROLES } from '../../src/permissions/admin-roles.js';
import { ADMIN_INBOX_PREFIX } from '../../src/permissions/names.js';
import { adminUserJwtOptions } from '../../src/permissions/roles.js';
import type { AdminClient } from '../../src/protocol/admin-client.js';
import { MessageSigner } from '../../src/protocol/signed.js';
import { signRequest } from '../../src/protocol/signed-request.js';
import { connectSystem } from '../../src/system-account/system-connection.js';
import { mutateData, mutateHeaders, type Captured } from '../fuzz/mutate-message.js';
import { addPeel, connectUser, createToken, type BarePeel } from '../integration/fleet/asking.js';
import { Fleet } from '../integration/fleet/fleet.js';
import { addCreds } from '../integration/fleet/peels.js';
import { HEAP_PROBE, Program } from '../integration/fleet/program.js';
import { startHome } from '../integration/trust/support.js';
import { atEnd } from '../support/cleanup.js';
import { freePort } from '../support/free-port.js';
import { seededRandom } from '../support/random.js';
import { waitFor } from '../support/wait-for.js';
import { ZESTER } from '../support/zester-command.js';
import { PEEL_ID, type Role } from './isolation-table.js';
import { subjectsFor, subscriptionsIn, type Names } from './message-senders.js';
import { SecretScanner } from './secret-scan.js';

const COUNT = Number(
  process.env['ZESTER_MUTATED_MESSAGES'] ?? (process.env['ZESTER_SECURITY'] === 'full' ? 10_000 : 1_000),
);
/** Maximum heap growth of a process, in bytes, for any number of messages. */
const GROWTH = 32 * 1024 * 1024;
/** Messages per batch: afterwards, wait for the master and the peel, since servers cut a client that is far behind. */
const BATCH = 100;
/** Peels that share the messages, since a peel may send one request a second and more would be dropped unread. */
const PEELS = Math.min(200, Math.ceil(COUNT / 100));
/** The peel that must still serve afterwards. */
const OTHER = 'web-08';

const random = seededRandom();
let fleet: Fleet;
let admin: AdminClient;
let asker: NatsConnection;
let master: Program;
let peel: Program;
let other: BarePeel;
let httpPort: number;
let subscriptions: string[];
const captured: Captured[] = [];

/** A sender and its subjects. */
interface Sender {
  role: Role;
  nc: NatsConnection;
  subjects: string[];
  signer?: MessageSigner | undefined;
}

async function connectWith(path: string, inboxPrefix?: string): Promise<NatsConnection> {
  const creds = await loadCredsFile(path);
  const nc = await connect({
    servers: fleet.servers,
    ...creds.natsOption(),
    ...(inboxPrefix !== undefined && { inboxPrefix }),
    // a flood is cut; continue
    maxReconnectAttempts: -1,
    reconnectTimeWait: 20,
    reconnectJitter: 0,
    ignoreAuthErrorAbort: true,
  });
  atEnd(() => nc.close());
  return nc;
}

beforeAll(async () => {
  fleet = new Fleet(await startHome());
  httpPort = await freePort();
  const probed = ['--import', HEAP_PROBE, ...ZESTER];
  const at = ['--servers', ...fleet.servers, '--json'];
  master = new Program(
    'master',
    [
      ...[...probed, 'master', '--home', fleet.home.home, '--policy', 'manual', '--lifetime', '15m'],
      ...['--http', `127.0.0.1:${httpPort}`, ...at],
    ],
    /"event":"ready"/,
  );
  await master.start();
  admin = await fleet.admin();
  const path = await addCreds(fleet, admin, PEEL_ID);
  peel = new Program('peel', [...probed, 'peel', 'run', '--creds', path, ...at], /"event":"ready"/);
  await peel.start();
  // the subscriptions of these two, before others connect
  const domain = await fleet.home.domain();
  const system = await connectSystem(domain, { servers: fleet.servers });
  atEnd(() => system.close());
  subscriptions = await subscriptionsIn(domain.publicKeys.account, system);
  other = await addPeel(fleet, admin, OTHER);
  asker = await connectWith(domain.paths.adminCreds, ADMIN_INBOX_PREFIX);
  await capture();
});

/** Runs the operations of a fleet, and captures every message. */
async function capture(): Promise<void> {
  const witness = await connectUser(fleet, 'witness', undefined);
  witness.subscribe('>', {
    callback: (_error, { subject, data, headers }) => {
      if (subject.startsWith('$JS.API') || subject.startsWith('$SYS')) return;
      const pairs = [...(headers ?? [])].flatMap(([name, values]) =>
        values.map((value) => [name, value] as const),
      );
      captured.push({ subject, data: Uint8Array.from(data), headers: pairs });
    },
  });
  await witness.flush();
  const token = await createToken(admin, fleet, { labels: { env: 'prod' }, ids: 'new-*' });
  await token.join('new-1', generateKeyBundle('user'));
  await admin.ask('peel.accept', { peelId: 'new-1', labels: { tier: 'db' }, reason: 'rack 7' });
  await token.join('new-2', generateKeyBundle('user'));
  await admin.ask('peel.reject', { peelId: 'new-2', reason: 'unknown' });
  const bare = await addPeel(fleet, admin, 'new-3', { labels: { env: 'dev' } });
  await bare.renew();
  await bare.rotate(bare.rotateRequest(generateKeyBundle('user')));
  await admin.ask('peel.label', { peelId: 'new-3', set: { zone: 'eu-1' }, remove: ['env'] });
  await admin.ask('peel.rotate', { peelId: PEEL_ID });
  await admin.ask('peel.show', { peelId: 'new-3', events: 5 });
  await admin.ask('peel.revoke', { peelId: 'new-3', reason: 'stolen' });
  await admin.ask('token.list', {});
  await admin.ask('token.remove', { tokenId: token.tokenId });
  await admin.ask('status', {});
  await admin.ask('master.resume', { reason: 'checked' });
  const list = admin.stream('peel.list', { pattern: 'new-*', limit: 2, labels: 'tier=db' });
  for await (const part of list) expect(part).toBeDefined();
  for await (const part of admin.stream('audit', { kinds: ['peel.*'], last: 3 })) expect(part).toBeDefined();
  for (const handler of ['ping', 'facts']) await ask(handler);
  const credsPath = await addCreds(fleet, admin, 'new-4', { expiry: 1 });
  await waitFor('it to expire', async () =>
    (await loadCredsFile(credsPath)).isExpired(() => Date.now() - 1_100),
  );
  await recoverCredentials({ servers: fleet.servers, credsPath, waitMs: 20_000 });
  await witness.flush();
  await witness.close();
  for (const space of ['enroll', 'auth', 'admin', 'cmd', 'audit'])
    expect(captured.filter(({ subject }) => subject.startsWith(`zester.${space}.`)).length).toBeGreaterThan(
      0,
    );
}

async function ask(handler: string): Promise<void> {
  const answer = await requestPeel(asker, PEEL_ID, JSON.stringify({ handler, args: [] }), {
    timeoutMs: 15_000,
  });
  expect(answer.json()).toMatchObject({ peelId: PEEL_ID });
}

/** A subject without the names in it. */
function kindOf(subject: string): string {
  const tokens = subject.split('.').filter((token) => !/[-\d]|^_z/.test(token));
  return tokens[0] === '_INBOX' ? '_INBOX' : tokens.join('.');
}

async function senders(): Promise<Sender[]> {
  const domain = await fleet.home.domain();
  const { paths } = domain;
  const names: Names = { peel: 'p-0', token: 'none', admin: 'ann' };
  const sender = async (role: Role, path: string, of: Partial<Names> = {}): Promise<Sender> => ({
    role,
    nc: await connectWith(path),
    subjects: subjectsFor(role, { ...names, ...of }, subscriptions),
    ...(path.includes('admin') && { signer: new MessageSigner(await loadCredsFile(path)) }),
  });
  const all: Sender[] = [];
  for (let i = 0; i < PEELS; i += 1) {
    const name = `p-${i}`;
    const path = await addCreds(fleet, admin, name);
    all.push(await sender('peel', path, { peel: name }));
    if (i >= 5) continue;
    // the recovery file holds a JWT for the peel's own key
    const recovery = join(fleet.home.dir, `${name}.recovery.creds`);
    const jwt = (await readFile(recoveryPath(path), 'utf8')).trim();
    await writeFile(recovery, (await readFile(path, 'utf8')).replace(/ey[\w.-]+/, jwt), { mode: 0o600 });
    all.push(await sender('recovery', recovery, { peel: name }));
    const token = await createToken(admin, fleet, { uses: 1_000 });
    const { tokenId } = token;
    all.push(await sender('token', join(fleet.home.dir, `${tokenId}.creds`), { token: tokenId }));
  }
  for (const role of ADDED_ROLES) {
    const name = `ann-${role}`;
    const path = join(fleet.home.dir, `admin-${role}.creds`);
    const user = generateKeyBundle('user');
    const options = adminUserJwtOptions(domain.publicKeys.account, { admin: { name, role } });
    await writeCredsFile(path, createUserJwt(user, await domain.accountKey(), options), user.seed);
    all.push(await sender(role, path, { admin: name }));
  }
  all.push(await sender('owner', paths.adminCreds));
  all.push(await sender('master', paths.masterCreds));
  all.push(await sender('answers', paths.masterAnswersCreds));
  return all;
}

function send({ nc, subjects, signer }: Sender): void {
  if (nc.isClosed()) return;
  const subject = random.pick(subjects);
  const alike = captured.filter((one) => kindOf(one.subject) === kindOf(subject));
  const original = random.pick(alike.length > 0 && random.below(4) > 0 ? alike : captured);
  const others = captured.map(({ data }) => data);
  // headers count too
  const most = Math.max(0, (nc.info?.max_payload ?? 0) - 20_000);
  const data = Buffer.from(
    random.below(20) === 0 ? original.data : mutateData(original.data, others, random),
  ).subarray(0, most);
  // an admin may revoke those that are to serve afterwards, so no request that is signed names them
  const isHarmless = ![PEEL_ID, OTHER].some((id) => data.includes(id));
  const isSigned = signer !== undefined && isHarmless && random.below(2) === 0;
  const headers = isSigned
    ? signRequest(signer, subject, data)
    : mutateHeaders(original.headers, others, random);
  const reply = random.pick([
    undefined,
    `${subject}.reply`,
    'zester.cmd.web-02',
    '_INBOX.x.y',
    '$JS.API.INFO',
  ]);
  nc.publish(subject, data, { headers, ...(reply !== undefined && { reply }) });
}

/** The number of answered requests by outcome, and of requests dropped unread. */
async function outcomes(): Promise<{ answered: number; ignored: number; lines: string[] }> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
  const lines = text.trimEnd().split('\n');
  const sum = (name: string) =>
    lines
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
  return {
    answered: sum('zester_master_requests_total'),
    ignored: sum('zester_master_requests_ignored_total'),
    lines,
  };
}

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

describe('a master and a peel that get mutated messages', () => {
  it('neither die nor grow, and serve afterwards', { timeout: 3_600_000 }, async () => {
    const byRole = new Map<Role, Sender[]>();
    for (const one of await senders()) byRole.set(one.role, [...(byRole.get(one.role) ?? []), one]);
    const roles = [...byRole.keys()];
    for (const [role, [one]] of byRole) expect(one?.subjects.length, role).toBeGreaterThan(0);
    const programs = [master, peel];
    const before = await Promise.all(programs.map((program) => program.heapUsed()));
    const pids = programs.map(({ pid }) => pid);
    const from = performance.now();
    const sent = new Map<Role, number>();
    for (let i = 0; i < COUNT; i += 1) {
      const role = random.pick(roles);
      sent.set(role, (sent.get(role) ?? 0) + 1);
      send(random.pick(byRole.get(role) ?? []));
      if (i % BATCH === BATCH - 1) {
        await Promise.all([...byRole.values()].flat().map(({ nc }) => nc.flush().catch(() => undefined)));
        await admin.ask('status', {}, { timeoutMs: 60_000 });
        await ask('ping');
      }
    }
    const seconds = (performance.now() - from) / 1_000;
    const { record } = await admin.ask('peel.show', { peelId: PEEL_ID });
    expect(record.state, `seed ${random.seed}`).toBe('active');
    expect((await other.renewAgain()).jwt).toMatch(/^ey/);
    expect((await (await addPeel(fleet, admin, 'web-09')).renewAgain()).jwt).toMatch(/^ey/);
    await ask('facts');
    const growth = (await Promise.all(programs.map((program) => program.heapUsed()))).map(
      (now, i) => now - (before[i] ?? 0),
    );
    const { answered, ignored, lines } = await outcomes();
    const subjects = new Set([...byRole.values()].flat().flatMap((one) => one.subjects));
    process.stdout.write(
      [
        `mutated messages, seed ${random.seed}: ${COUNT} sent in ${seconds.toFixed(0)} s, on ${subjects.size} subjects, ` +
          `from ${captured.length} captured ones; the processes subscribe to ${subscriptions.length} subjects`,
        [...sent].map(([role, count]) => `${role} ${count}`).join(', '),
        `the master answered or refused ${answered} requests and dropped ${ignored} unread`,
        ...programs.map(
          ({ name, output }, i) =>
            `${name}: heap ${mib(before[i] ?? 0)}, then ${mib(growth[i] ?? 0)} more; ${output.split('\n').length} log lines`,
        ),
        '',
      ].join('\n'),
    );
    expect(programs.map(({ pid }) => pid)).toEqual(pids);
    for (const grown of growth) expect(grown).toBeLessThan(GROWTH);
    // untrusted values never become a label
    expect(lines.length).toBeLessThan(500);
    for (const line of lines) expect(line).toMatch(/^[ -~]*$/);
    const scanner = new SecretScanner();
    scanner.learnFrom(fleet.home.dir);
    expect(scanner.count).toBeGreaterThan(PEELS);
    for (const { name, output } of programs) {
      expect(output.split('\n').filter((line) => /"level":"error"|unhandled|uncaught/i.test(line))).toEqual(
        [],
      );
      expect(scanner.find(`the log of the ${name}`, Buffer.from(output))).toEqual([]);
    }
  });
});
