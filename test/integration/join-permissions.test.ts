import { connect, PermissionViolationError, type NatsConnection } from '@nats-io/transport-node';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { natsOptionsForMaster } from '../../src/connection/options.js';
import { writeCredsFile } from '../../src/creds/generate.js';
import { loadCredsFile } from '../../src/creds/parse.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { ADMIN_INBOX_PREFIX, MASTER_INBOX_PREFIX } from '../../src/permissions/names.js';
import { joinInboxPrefix, joinName, joinUserJwtOptions } from '../../src/permissions/roles.js';
import { atEnd } from '../support/cleanup.js';
import { startHome, type HomeWithServers } from './trust/support.js';

/**
 * The permissions of a join token's user, as enforced by the real server. "Allowed" means that the message arrived,
 * "denied" that the server reported a violation and nothing arrived.
 */

const TOKEN = 'Ab12Cd34Ef';
const OTHER = 'Zz98Yy76Xx';
const own = joinName(TOKEN);

const MAY_NOT_PUBLISH = [
  ['a request to join of another token', `zester.enroll.${joinName(OTHER)}.request`],
  ['a request to join of a token whose id begins with its own', `zester.enroll.${own}1.request`],
  ['a request to join of nobody', `zester.enroll.${own}`],
  ['a request to join under a peel id', 'zester.enroll.web-01.request'],
  ['an event of a peel', 'zester.event.web-01.started'],
  ['an event of its own', `zester.event.${own}.started`],
  ['facts of its own', `zester.fact.${own}`],
  ['the facts of a peel', 'zester.fact.web-01'],
  ['what a job gave', 'zester.job.j42.return.web-01'],
  ['a request to renew the credentials of a peel', 'zester.auth.web-01.renew'],
  ['a request to renew its own credentials', `zester.auth.${own}.renew`],
  ['a command to a peel', 'zester.cmd.web-01.run'],
  ['the end of a job', 'zester.job.j42.cancel'],
  ['a request of an admin', 'zester.admin.accept'],
  ['to the audit', 'zester.audit.peel.web-01'],
  ['to an inbox of its own', `_INBOX.${own}.abc`],
  ['to the inbox of a peel', '_INBOX.web-01.abc'],
  ['to an inbox of the master', `${MASTER_INBOX_PREFIX}.abc`],
  ['to an inbox of an admin', `${ADMIN_INBOX_PREFIX}.abc`],
  ['to the registry', '$KV.zester-peels.web-01'],
  ['to the challenges', '$KV.zester-challenges.abc'],
  ['to the API of JetStream', '$JS.API.INFO'],
  ['to the API of JetStream, for the registry', '$JS.API.DIRECT.GET.KV_zester-peels.$KV.zester-peels.web-02'],
  ['a new consumer of the audit', '$JS.API.CONSUMER.CREATE.zester-audit'],
  ['an acknowledgement to JetStream', '$JS.ACK.zester-audit.c.1.1.1.1.0'],
  ['to the discovery of services', '$SRV.PING'],
  ['to the system', '$SYS.REQ.SERVER.PING'],
  ['a new account', '$SYS.REQ.CLAIMS.UPDATE'],
  ['anything else', 'anything'],
] as const;

const MAY_NOT_SUBSCRIBE = [
  ['everything', '>', 'zester.cmd.web-02.run'],
  ['the whole fleet', 'zester.>', 'zester.cmd.web-02.run'],
  ['the requests of other hosts', 'zester.enroll.>', `zester.enroll.${joinName(OTHER)}.request`],
  ['its own requests', `zester.enroll.${own}.>`, `zester.enroll.${own}.request`],
  ['the commands of a peel', 'zester.cmd.web-01.>', 'zester.cmd.web-01.run'],
  ['commands to itself', `zester.cmd.${own}`, `zester.cmd.${own}`],
  ['the end of jobs', 'zester.job.*.cancel', 'zester.job.j42.cancel'],
  ['the events of peels', 'zester.event.>', 'zester.event.web-01.started'],
  ['what admins ask', 'zester.admin.>', 'zester.admin.accept'],
  ['the audit', 'zester.audit.>', 'zester.audit.peel.web-01'],
  ['the inboxes of all', '_INBOX.>', '_INBOX.web-02.abc'],
  ['the inboxes of another token', `${joinInboxPrefix(OTHER)}.>`, `${joinInboxPrefix(OTHER)}.abc`],
  ['the inboxes of a peel', '_INBOX.web-01.>', '_INBOX.web-01.abc'],
  ['the inboxes of the master', `${MASTER_INBOX_PREFIX}.>`, `${MASTER_INBOX_PREFIX}.abc`],
  ['the registry', '$KV.zester-peels.>', '$KV.zester-peels.web-01'],
  ['requests to the JetStream API', '$JS.API.>', '$JS.API.INFO'],
  ['the discovery of services', '$SRV.>', '$SRV.PING'],
  ['the system', '$SYS.>', '$SYS.ACCOUNT.x'],
] as const;

let fleet: HomeWithServers;
/** A user with full permissions in the account, who sees everything. */
let witness: NatsConnection;

beforeAll(async () => {
  fleet = await startHome();
  const domain = await fleet.domain();
  const account = await domain.accountKey();
  const path = join(fleet.dir, 'witness.creds');
  const user = generateKeyBundle('user');
  await writeCredsFile(path, createUserJwt(user, account, { name: 'witness' }), user.seed);
  witness = await open(path);
});

/** Connects as a user signed by the join signing key, with any name. */
async function connectSignedByJoinKey(name: string): Promise<NatsConnection> {
  const domain = await fleet.domain();
  const signer = await domain.joinSigner();
  const user = generateKeyBundle('user');
  const options = { ...joinUserJwtOptions(TOKEN, domain.publicKeys.account, { expiry: 600 }), name };
  const path = join(fleet.dir, `${name}.creds`);
  await writeCredsFile(path, createUserJwt(user, signer, options), user.seed);
  signer.wipe();
  return open(path, `_INBOX.${name}`);
}

async function open(path: string, inboxPrefix?: string): Promise<NatsConnection> {
  const nc = await connect({
    ...(await loadCredsFile(path)).natsOption(),
    servers: fleet.servers,
    reconnect: false,
    ...(inboxPrefix !== undefined && { inboxPrefix }),
  });
  atEnd(() => nc.close());
  return nc;
}

/** Collects the server's errors about it from now on. */
function violationsOf(nc: NatsConnection): string[] {
  const all: string[] = [];
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type !== 'error' || !(status.error instanceof PermissionViolationError)) continue;
      all.push(`${status.error.operation} ${status.error.subject}`);
    }
  })();
  return all;
}

/** Waits until the server has processed everything sent, and its errors have reached the client's iterator. */
async function settled(nc: NatsConnection): Promise<void> {
  await nc.flush();
  await nc.flush();
}

/** Publishes, and returns what reaches the witness. */
async function published(nc: NatsConnection, subject: string): Promise<string[]> {
  const arrived: string[] = [];
  const all = witness.subscribe('>', { callback: (_, msg) => void arrived.push(msg.subject) });
  await witness.flush();
  nc.publish(subject, 'hello');
  await settled(nc);
  await witness.flush();
  all.unsubscribe();
  return arrived;
}

/** Subscribes while the witness publishes an example, and returns what arrives. */
async function received(nc: NatsConnection, subject: string, example: string): Promise<string[]> {
  const arrived: string[] = [];
  const subscription = nc.subscribe(subject, {
    callback: (error, msg) => {
      if (error === null) arrived.push(msg.subject);
    },
  });
  await nc.flush();
  witness.publish(example, 'hello');
  await witness.flush();
  await settled(nc);
  subscription.unsubscribe();
  return arrived;
}

describe('the user of a join token', () => {
  let token: NatsConnection;
  let violations: string[];

  beforeAll(async () => {
    token = await connectSignedByJoinKey(own);
    violations = violationsOf(token);
  });

  it('requests to join, and reads a master’s answer in its own inbox', async () => {
    const { paths } = await fleet.domain();
    const master = await connect({ ...natsOptionsForMaster(paths.masterCreds), servers: fleet.servers });
    atEnd(() => master.close());
    const replies: (string | undefined)[] = [];
    const service = master.subscribe('zester.enroll.*.request', {
      queue: 'masters',
      callback: (_, msg) => {
        replies.push(msg.reply);
        msg.respond(`for ${msg.subject.split('.')[2] ?? ''}`);
      },
    });
    await master.flush();
    const answer = await token.request(`zester.enroll.${own}.request`, 'x'.repeat(16_000), {
      timeout: 5_000,
    });
    expect(answer.string()).toBe(`for ${own}`);
    expect(replies).toEqual([expect.stringMatching(new RegExp(`^_INBOX\\.${own}\\.`))]);
    service.unsubscribe();
    await master.flush();
  });

  it.each(MAY_NOT_PUBLISH)('may not publish %s: %s', async (_, subject) => {
    violations.length = 0;
    expect(await published(token, subject)).toEqual([]);
    expect(violations).toEqual([`publish ${subject}`]);
  });

  it.each(MAY_NOT_SUBSCRIBE)('may not subscribe to %s: %s', async (_, subject, example) => {
    violations.length = 0;
    expect(await received(token, subject, example)).toEqual([]);
    expect(violations).toEqual([`subscription ${subject}`]);
  });

  it('may not answer messages', async () => {
    violations.length = 0;
    const subject = `${joinInboxPrefix(TOKEN)}.ask`;
    const inbox = token.subscribe(subject, { max: 1 });
    await token.flush();
    witness.publish(subject, '', { reply: 'somewhere.else' });
    for await (const { reply = '' } of inbox) expect(await published(token, reply)).toEqual([]);
    expect(violations).toEqual(['publish somewhere.else']);
  });

  it('has ten subscriptions, and no more', async () => {
    const tokenId = 'Subscriptions';
    const one = await connectSignedByJoinKey(joinName(tokenId));
    const errors: string[] = [];
    void (async () => {
      for await (const status of one.status()) if (status.type === 'error') errors.push(status.error.message);
    })();
    const receivers: number[] = [];
    for (let i = 0; i < 12; i++) {
      one.subscribe(`${joinInboxPrefix(tokenId)}.x`, {
        callback: (error) => {
          if (error === null) receivers.push(i);
        },
      });
    }
    await settled(one);
    witness.publish(`${joinInboxPrefix(tokenId)}.x`);
    await witness.flush();
    await settled(one);
    expect(receivers.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(errors.join()).toMatch(/maximum subscriptions exceeded/i);
  });

  it('sends nothing larger than 16 KiB, even with a client that ignores the server’s limit', async () => {
    const name = joinName('LargeRequest');
    const one = await connectSignedByJoinKey(name);
    const subject = `zester.enroll.${name}.request`;
    const arrived: number[] = [];
    const all = witness.subscribe(subject, { callback: (_, msg) => void arrived.push(msg.data.length) });
    await witness.flush();
    one.publish(subject, new Uint8Array(16 * 1024));
    await one.flush();
    const { info } = one;
    expect(info?.max_payload).toBe(16 * 1024);
    if (info !== undefined) info.max_payload = 1024 * 1024;
    one.publish(subject, new Uint8Array(16 * 1024 + 1));
    await one.closed();
    await witness.flush();
    expect(arrived).toEqual([16 * 1024]);
    all.unsubscribe();
  });
});

describe('a user that the signing key of join tokens signed under the id of a peel', () => {
  it('may request to join under that name, and do nothing that the peel may do', async () => {
    const fake = await connectSignedByJoinKey('web-01');
    const violations = violationsOf(fake);
    expect(await published(fake, 'zester.enroll.web-01.request')).toEqual(['zester.enroll.web-01.request']);
    expect(violations).toEqual([]);
    for (const subject of [
      'zester.event.web-01.started',
      'zester.fact.web-01',
      'zester.job.j42.ack.web-01',
      'zester.job.j42.return.web-01',
      'zester.auth.web-01.renew',
      '_INBOX.web-01.abc',
      `zester.enroll.${own}.request`,
    ]) {
      violations.length = 0;
      expect(await published(fake, subject), subject).toEqual([]);
      expect(violations).toEqual([`publish ${subject}`]);
    }
    for (const [subject, example] of [
      ['zester.cmd.web-01', 'zester.cmd.web-01'],
      ['zester.cmd.web-01.>', 'zester.cmd.web-01.run'],
      ['zester.job.*.cancel', 'zester.job.j42.cancel'],
    ] as const) {
      violations.length = 0;
      expect(await received(fake, subject, example), subject).toEqual([]);
      expect(violations).toEqual([`subscription ${subject}`]);
    }
  });
});
