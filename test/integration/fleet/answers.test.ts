import { jetstreamManager } from '@nats-io/jetstream';
import { connect, errors, nuid, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectMaster } from '../../../src/connection/connect.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { answerBelow } from '../../../src/protocol/answer.js';
import { newRequestId, type AdminClient } from '../../../src/protocol/admin-client.js';
import { encodeJson } from '../../../src/protocol/messages.js';
import { MessageSigner } from '../../../src/protocol/signed.js';
import { signRequest } from '../../../src/protocol/signed-request.js';
import { adminSubject, authSubject, enrollSubject } from '../../../src/permissions/names.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { ADMIN_INBOX_PREFIX, MASTER_INBOX_PREFIX, peelInboxPrefix } from '../../../src/permissions/names.js';
import { contextOf } from '../../../src/master/context-of.js';
import { atEnd } from '../../support/cleanup.js';
import { keptLog } from '../../support/kept-log.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { addPeel, connectUser, createToken, type BarePeel, type TokenHolder } from './asking.js';
import { startFleet, type Fleet } from './fleet.js';

type PermissionViolation = InstanceType<typeof errors.PermissionViolationError>;

let fleet: Fleet;
let admin: AdminClient;
let mallory: BarePeel;
let token: TokenHolder;
/** The admin's own connection, for messages that the client would not publish. */
let rawAdmin: NatsConnection;
let adminSigner: MessageSigner;
/** The master's log. */
const log = keptLog();
/** Collects every message of the account from now on. */
const seen: { subject: string; reply: string | undefined }[] = [];

beforeAll(async () => {
  fleet = await startFleet({ policy: 'auto-trusted', lifetime: 900, logger: log.logger });
  admin = await fleet.admin();
  mallory = await addPeel(fleet, admin, 'mallory');
  await addPeel(fleet, admin, 'victim');
  await fleet.record('mallory', ({ state }) => state === 'active');
  await fleet.record('victim', ({ state }) => state === 'active');
  token = await createToken(admin, fleet);
  const { paths } = await fleet.home.domain();
  rawAdmin = await connectMaster({
    servers: fleet.servers,
    credsPath: paths.adminCreds,
  });
  atEnd(() => rawAdmin.close());
  adminSigner = new MessageSigner(await loadCredsFile(paths.adminCreds));
  const observer = await connectUser(fleet, 'observer', undefined);
  observer.subscribe('>', {
    callback: (error, { subject, reply }) => void (error === null && seen.push({ subject, reply })),
  });
  await observer.flush();
});

/** Collects the permission violations of a connection from now on. */
function violations(nc: NatsConnection): PermissionViolation[] {
  const found: PermissionViolation[] = [];
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type === 'error' && status.error instanceof errors.PermissionViolationError)
        found.push(status.error);
    }
  })();
  return found;
}

/** Subjects that masters' credentials reach, or others read: no answer goes there, whoever the caller is. */
const ELSEWHERE = [
  '$JS.API.STREAM.PURGE.KV_zester-peels',
  '$JS.API.STREAM.DELETE.zester-audit',
  '$JS.API.STREAM.INFO.zester-audit',
  '$KV.zester-peels.victim',
  '$KV.zester-challenges.lease.watch',
  'zester.cmd.victim',
  'zester.cmd.victim.notice',
  'zester.job.17.cancel',
  'zester.event.victim.x',
  'zester.audit.victim.peel.revoked',
  'zester.audited.victim.peel.revoked',
  'zester.auth.victim.renew',
  '_INBOX.victim.1',
  '_INBOX.mallory',
  '_INBOX.malloryx.1',
  `${MASTER_INBOX_PREFIX}x.1`,
  '_INBOX._zester-master-answers.1',
];

/** Sends one request with each reply subject, and checks that it causes only the requests and audited refusals. */
async function goesNowhere(
  nc: NatsConnection,
  subject: string,
  data: Uint8Array,
  options: { headers?: MsgHdrs; replies?: readonly string[] } = {},
): Promise<void> {
  const { replies = ELSEWHERE, headers: sent } = options;
  for (const reply of replies) {
    const from = seen.length;
    const beacon = `${reply} ${nuid.next()}`;
    nc.publish(subject, data, { reply, ...(sent && { headers: sent }) });
    await waitFor(`the request with the reply subject ${reply}`, () =>
      seen.slice(from).some((msg) => msg.subject === subject && msg.reply === reply),
    );
    // another request of the same service, which is answered: the one before it is dealt with by then. What others publish
    // there for reasons of their own has a reply subject; an answer has none
    await admin.ask('status', {});
    await rawAdmin.request('$SRV.PING.zester-master', beacon, { timeout: 5_000 });
    expect(seen.slice(from).filter((msg) => msg.subject === reply && (msg.reply ?? '') === '')).toEqual([]);
  }
}

const refusedReply = (by: string, request?: string) =>
  fleet.audited(
    'request.refused',
    (event) =>
      event.code === 'ERR_FLEET_REPLY' &&
      event.by.name === by &&
      (request === undefined || event.detail?.['request'] === request),
  );

describe('a master answers nowhere but in the inbox of its caller', () => {
  it('a peel’s requests, whether granted, refused or malformed', async () => {
    const renewal = () => encodeJson({ requestId: newRequestId(), publicKey: mallory.key.publicKey });
    const others = [...ELSEWHERE, `${ADMIN_INBOX_PREFIX}.1`, `${MASTER_INBOX_PREFIX}.1`];
    const records = () => JSON.stringify([...contextOf(fleet.master).registry.records()]);
    const before = records();
    await goesNowhere(mallory.nc, authSubject('mallory', 'renew'), renewal(), { replies: others });
    // it has no effect either
    expect(records()).toBe(before);
    await refusedReply('mallory', 'renew');
    await goesNowhere(mallory.nc, authSubject('mallory', 'rotate'), encodeJson({ requestId: 'bad-0001' }), {
      replies: others.slice(0, 3),
    });
    await goesNowhere(mallory.nc, 'zester.auth.mallory.peel.accept', encodeJson({}), {
      replies: others.slice(0, 3),
    });
    await fleet.record('mallory', ({ state }) => state === 'active');
  });

  it('refusals above the rate limit', async () => {
    const flooder = await addPeel(fleet, admin, 'flooder');
    const subject = authSubject('flooder', 'renew');
    const from = seen.length;
    for (let i = 0; i < 60; i += 1) {
      flooder.nc.publish(subject, encodeJson({ requestId: `flood-${i}` }), {
        reply: '$KV.zester-peels.victim',
      });
    }
    await flooder.nc.flush();
    await refusedReply('flooder');
    await waitFor(
      'all of them',
      () => seen.slice(from).filter((msg) => msg.subject === subject).length === 60,
    );
    await admin.ask('status', {});
    expect(seen.slice(from).some((msg) => msg.subject === '$KV.zester-peels.victim')).toBe(false);
  });

  it('requests of a join token’s holder', async () => {
    const others = [...ELSEWHERE.slice(0, 8), '_INBOX._zester-join-abcdefgh12.1', `_INBOX.${token.user}`];
    const request = encodeJson({ peelId: 'db-1', publicKey: generateKeyBundle('user').publicKey });
    await goesNowhere(token.nc, enrollSubject(token.user, 'challenge'), request, { replies: others });
    await goesNowhere(token.nc, enrollSubject(token.user, 'join'), encodeJson({ requestId: 'bad-0001' }), {
      replies: others.slice(0, 3),
    });
    await refusedReply(token.tokenId, 'challenge');
    expect(await token.challenge('db-2', generateKeyBundle('user'))).toMatch(/^[\w-]+$/);
  });

  it('an admin’s requests, signed or not, answered in one message or in several', async () => {
    for (const [name, request] of [
      ['peel.show', { peelId: 'victim' }],
      ['peel.list', {}],
      ['audit', {}],
      ['peel.revoke', { peelId: 'victim' }],
    ] as const) {
      const subject = adminSubject(name);
      const data = encodeJson(request);
      const signed = signRequest(adminSigner, subject, data);
      await goesNowhere(rawAdmin, subject, data, { headers: signed, replies: ELSEWHERE.slice(0, 6) });
      await goesNowhere(rawAdmin, subject, data, { replies: ELSEWHERE.slice(3, 5) });
    }
    await goesNowhere(rawAdmin, 'zester.admin.no.such.thing', encodeJson({}), {
      replies: ELSEWHERE.slice(0, 3),
    });
    await refusedReply('unsigned', 'peel.revoke');
    await fleet.record('victim', ({ state }) => state === 'active');
  });

  it('requests of service discovery, which do not name the caller', async () => {
    const { id } = fleet.master;
    const replies = [...ELSEWHERE, '_INBOX.mallory.1', `_INBOX.${token.user}.1`];
    for (const verb of ['PING', 'INFO', 'STATS']) {
      await goesNowhere(rawAdmin, `$SRV.${verb}`, new Uint8Array(), { replies });
      for (const suffix of ['zester-master', `zester-master.${id}`]) {
        await goesNowhere(rawAdmin, `$SRV.${verb}.${suffix}`, new Uint8Array(), {
          replies: replies.slice(0, 4),
        });
      }
    }
    await refusedReply('unsigned', 'discovery ($SRV)');
    expect((await rawAdmin.request('$SRV.PING', '', { timeout: 5_000 })).json()).toMatchObject({
      name: 'zester-master',
    });
  });

  it('bounds the refusals in the audit log and in the log under repeated attacks', async () => {
    const subject = enrollSubject(token.user, 'join');
    for (let i = 0; i < 500; i += 1) token.nc.publish(subject, `${i}`, { reply: `_INBOX.victim.${i}` });
    await token.nc.flush();
    // in its order, after all of these
    await token.challenge('asks-last', generateKeyBundle('user'));
    const of = (await fleet.audit()).filter(({ code }) => code === 'ERR_FLEET_REPLY');
    // per caller and request, not per attempt
    expect(of.length).toBeLessThan(30);
    expect(log.lines.length).toBeGreaterThan(0);
    const codeOf = (fields: object) => (fields as { code?: string }).code;
    const refused = log.lines.filter(
      ({ level, fields }) => level !== 'debug' && codeOf(fields) === 'ERR_FLEET_REPLY',
    );
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(30);
  });
});

describe('the credentials that masters answer with', () => {
  it('publish to inboxes and nowhere else, and read nothing but requests', async () => {
    const { paths } = await fleet.home.domain();
    const nc = await connect({
      servers: fleet.servers,
      ...(await loadCredsFile(paths.masterAnswersCreds)).natsOption(),
    });
    atEnd(() => nc.close());
    const refused = violations(nc);
    for (const subject of ELSEWHERE.filter((it) => !it.startsWith('_INBOX.'))) {
      nc.publish(subject, '{}');
      await waitFor(`the server to refuse ${subject}`, () =>
        refused.some((error) => error.operation === 'publish' && error.subject === subject),
      );
    }
    for (const subject of [
      '>',
      'zester.>',
      'zester.cmd.>',
      'zester.event.>',
      '_INBOX.>',
      `${MASTER_INBOX_PREFIX}.>`,
      '$KV.>',
      '$JS.API.>',
    ]) {
      nc.subscribe(subject, { callback: () => undefined });
      await waitFor(`the server to refuse ${subject}`, () =>
        refused.some((error) => error.operation === 'subscription' && error.subject === subject),
      );
    }
  });

  it('are missing in an older home, whose masters answer as their main user', async () => {
    const { rm } = await import('node:fs/promises');
    const { startHome } = await import('../trust/support.js');
    const { Fleet } = await import('./fleet.js');
    const home = await startHome({
      prepare: async (path) => rm(`${path}/creds/master-answers.creds`),
    });
    const warnings: string[] = [];
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: (_: object, message?: string) => void warnings.push(message ?? ''),
      error: () => undefined,
    };
    const older = new Fleet(home);
    await older.startMaster({ logger });
    expect(warnings.some((text) => text.includes('master-answers.creds'))).toBe(true);
    const peel = await addPeel(older, await older.admin(), 'web-01');
    await peel.renew();
    peel.nc.publish(authSubject('web-01', 'renew'), encodeJson({ requestId: 'bad-0001' }), {
      reply: '$KV.zester-peels.web-01',
    });
    await older.audited('request.refused', ({ code }) => code === 'ERR_FLEET_REPLY');
  });
});

describe('a user’s own service', () => {
  it('answers below the inbox of its caller with the library’s helper, and throws for anything else', async () => {
    const nc = await connectUser(fleet, 'service', undefined);
    const thrown: unknown[] = [];
    nc.subscribe('zester.event.*.config', {
      callback: (_error, msg) => {
        const peelId = msg.subject.split('.')[2] ?? '';
        try {
          answerBelow(nc, msg, 'settings', { inboxes: [peelInboxPrefix(peelId)] });
        } catch (error) {
          thrown.push(error);
        }
      },
    });
    await nc.flush();
    const answer = await mallory.nc.request('zester.event.mallory.config', '', { timeout: 5_000 });
    expect(answer.string()).toBe('settings');
    mallory.nc.publish('zester.event.mallory.config', '', { reply: '$KV.zester-peels.victim' });
    await waitFor('the refusal', () => thrown.length > 0);
    await refusal('ERR_FLEET_REPLY', () => {
      throw thrown[0];
    });
  });
});

describe('a thief of a master’s credentials', () => {
  it('cannot delete, purge or change the registry and the audit, nor speak as a peel or an admin', async () => {
    const { paths } = await fleet.home.domain();
    const nc = await connectMaster({ servers: fleet.servers, credsPath: paths.masterCreds });
    atEnd(() => nc.close());
    const refused = violations(nc);
    const streams = [
      'zester-audit',
      'KV_zester-peels',
      'KV_zester-fleet',
      'KV_zester-challenges',
      'KV_zester-presence',
    ];
    const verbs = [
      'DELETE',
      'PURGE',
      'UPDATE',
      'RESTORE',
      'SNAPSHOT',
      'MSG.DELETE',
      'LEADER.STEPDOWN',
      'PEER.REMOVE',
    ];
    for (const subject of [
      ...streams.flatMap((stream) => verbs.map((verb) => `$JS.API.STREAM.${verb}.${stream}`)),
      '$JS.API.STREAM.CREATE.recorder',
      '$JS.API.STREAM.LIST',
      '$JS.API.STREAM.NAMES',
      '$JS.API.CONSUMER.CREATE.users-own',
      '$JS.API.ACCOUNT.PURGE.x',
      '$JS.API.META.LEADER.STEPDOWN',
      'zester.auth.victim.renew',
      'zester.event.victim.x',
      'zester.fact.victim',
      'zester.admin.peel.accept',
      'zester.enroll._zester-join-abcdefgh12.join',
      'zester.audited.victim.peel.revoked',
      '$SYS.REQ.SERVER.PING',
    ]) {
      nc.publish(subject, '{}');
      await waitFor(`the server to refuse ${subject}`, () =>
        refused.some((error) => error.subject === subject),
      );
    }
    const jsm = await jetstreamManager(contextOf(fleet.master).nc);
    for (const stream of streams)
      expect((await jsm.streams.info(stream)).state.messages).toBeGreaterThanOrEqual(0);
  });

  it('while masters work without a permission violation', async () => {
    const own = await startFleet({ policy: 'auto-trusted', lifetime: 900 });
    const refused = violations(contextOf(own.master).nc);
    const asking = await own.admin();
    const peel = await addPeel(own, asking, 'web-01');
    await own.record('web-01', ({ state }) => state === 'active');
    await peel.renew();
    const next = generateKeyBundle('user');
    await peel.rotate(peel.rotateRequest(next));
    const holder = await createToken(asking, own);
    await holder.joined('db-01', generateKeyBundle('user'));
    await asking.ask('peel.rotate', { peelId: 'web-01' });
    await asking.ask('token.remove', { tokenId: holder.tokenId });
    for await (const part of asking.stream('peel.list', {})) expect(part.peels.length).toBeGreaterThan(0);
    let events = 0;
    for await (const part of asking.stream('audit', { last: 3 })) events += part.events.length;
    expect(events).toBeGreaterThan(0);
    await asking.ask('peel.show', { peelId: 'web-01' });
    await asking.ask('peel.revoke', { peelId: 'web-01', reason: 'test' });
    // another master, which reads everything again and takes the lease
    const second = await own.startMaster();
    const refusedSecond = violations(contextOf(second).nc);
    await own.master.stop();
    await waitFor('the second to watch', () => second.watching);
    await asking.ask('peel.show', { peelId: 'db-01' });
    expect([...refused, ...refusedSecond].map(({ message }) => message)).toEqual([]);
  });
});
