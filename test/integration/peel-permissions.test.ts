import { PermissionViolationError, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { natsOptionsForPeel } from '../../src/connection/options.js';
import { answerCommand } from '../../src/protocol/answer-command.js';
import { requestPeel } from '../../src/fleet-client/request-peel.js';
import { ADMIN_INBOX_PREFIX, MASTER_INBOX_PREFIX } from '../../src/permissions/names.js';
import { adminUserJwtOptions, masterUserJwtOptions } from '../../src/permissions/roles.js';
import { startOperatorServer, type OperatorServer } from '../support/operator-server.js';

/**
 * The permissions of a peel, as enforced by the real server: `web-01` tries every class of subjects in a fleet.
 * "Allowed" means that the message arrived, "denied" that the server reported a violation and nothing arrived.
 */

const MAY_PUBLISH = [
  ['an event of its own', 'zester.event.web-01.started'],
  ['an event of its own, of more tokens', 'zester.event.web-01.disk.full.sda1'],
  ['an answer to a command', 'zester.job.j42.return.web-01'],
  ['a request to renew its credentials', 'zester.auth.web-01.renew'],
  ['a request to rotate its key', 'zester.auth.web-01.rotate'],
] as const;

const MAY_NOT_PUBLISH = [
  // another peel's
  ['an event of another peel', 'zester.event.web-02.started'],
  ['an event of a peel whose id begins with its own', 'zester.event.web-011.started'],
  ['an event of nobody', 'zester.event.web-01'],
  ['what earlier versions granted', 'zester.fact.web-01'],
  ['what else they granted', 'zester.job.j42.ack.web-01'],
  ['an answer to a command, as another peel', 'zester.job.j42.return.web-02'],
  ['a request to renew the credentials of another peel', 'zester.auth.web-02.renew'],
  ['to an inbox of its own', '_INBOX.web-01.abc'],
  ['to the inbox of another peel', '_INBOX.web-02.abc'],
  ['to an inbox of nobody in particular', '_INBOX.abc'],
  // the master's and the admin's
  ['a command to another peel', 'zester.cmd.web-02.run'],
  ['a command to itself', 'zester.cmd.web-01.run'],
  ['the end of a job', 'zester.job.j42.cancel'],
  ['a new job', 'zester.job.j42'],
  ['to an inbox of the master', `${MASTER_INBOX_PREFIX}.abc`],
  ['to an inbox of an admin', `${ADMIN_INBOX_PREFIX}.abc`],
  ['a request of an admin', 'zester.admin.revoke'],
  ['a request to enrol', 'zester.enroll.join'],
  // the state of the fleet, the services, the system
  ['to the registry', '$KV.zester-peels.web-01'],
  ['to the API of JetStream', '$JS.API.INFO'],
  ['to the API of JetStream, for the registry', '$JS.API.DIRECT.GET.KV_zester-peels.$KV.zester-peels.web-02'],
  ['a new consumer of the audit', '$JS.API.CONSUMER.CREATE.zester-audit'],
  ['an acknowledgement to JetStream', '$JS.ACK.zester-audit.c.1.1.1.1.0'],
  ['flow control of JetStream', '$JS.FC.zester-audit.c.x'],
  ['to the discovery of services', '$SRV.PING'],
  ['to the system', '$SYS.REQ.SERVER.PING'],
  ['a new account', '$SYS.REQ.CLAIMS.UPDATE'],
  ['what the system knows of itself', '$SYS.REQ.USER.INFO'],
  // none of the fleet's
  ['anything else', 'anything'],
  ['to the root of the fleet', 'zester'],
] as const;

const MAY_SUBSCRIBE = [
  ['its commands', 'zester.cmd.web-01', 'zester.cmd.web-01'],
  ['its commands by name', 'zester.cmd.web-01.>', 'zester.cmd.web-01.run'],
  ['one of its commands', 'zester.cmd.web-01.run', 'zester.cmd.web-01.run'],
  ['its inboxes', '_INBOX.web-01.>', '_INBOX.web-01.abc'],
] as const;

const MAY_NOT_SUBSCRIBE = [
  ['everything', '>', 'zester.cmd.web-02.run'],
  ['everything of two tokens', '*.*', 'zester.enroll'],
  ['the whole fleet', 'zester.>', 'zester.cmd.web-02.run'],
  // another peel's
  ['the commands of all peels', 'zester.cmd.>', 'zester.cmd.web-02.run'],
  ['the commands of all peels, its own among them', 'zester.cmd.*', 'zester.cmd.web-02'],
  ['the commands of another peel', 'zester.cmd.web-02.>', 'zester.cmd.web-02.run'],
  ['the commands of a peel whose id begins with its own', 'zester.cmd.web-011', 'zester.cmd.web-011'],
  ['the events of another peel', 'zester.event.web-02.>', 'zester.event.web-02.started'],
  ['the end of jobs', 'zester.job.*.cancel', 'zester.job.j42.cancel'],
  ['the answers of peels', 'zester.job.*.return.*', 'zester.job.j42.return.web-02'],
  ['all of a job', 'zester.job.j42.>', 'zester.job.j42.ack.web-02'],
  ['the renewals of another peel', 'zester.auth.web-02.>', 'zester.auth.web-02.renew'],
  ['the inboxes of all', '_INBOX.>', '_INBOX.web-02.abc'],
  ['the inboxes of another peel', '_INBOX.web-02.>', '_INBOX.web-02.abc'],
  ['inboxes of one token', '_INBOX.*', '_INBOX.abc'],
  // its own, but not for it to read
  ['its own events', 'zester.event.web-01.>', 'zester.event.web-01.started'],
  ['its own renewals, which the master answers', 'zester.auth.web-01.>', 'zester.auth.web-01.renew'],
  // the master's and the admin's
  ['the inboxes of the master', `${MASTER_INBOX_PREFIX}.>`, `${MASTER_INBOX_PREFIX}.abc`],
  ['the inboxes of the admins', `${ADMIN_INBOX_PREFIX}.>`, `${ADMIN_INBOX_PREFIX}.abc`],
  ['what admins ask', 'zester.admin.>', 'zester.admin.revoke'],
  ['who enrols', 'zester.enroll.>', 'zester.enroll.join'],
  // the state of the fleet, the services, the system
  ['the registry', '$KV.zester-peels.>', '$KV.zester-peels.web-01'],
  ['requests to the JetStream API', '$JS.API.>', '$JS.API.INFO'],
  ['what happens in JetStream', '$JS.EVENT.>', '$JS.EVENT.ADVISORY.x'],
  ['the discovery of services', '$SRV.>', '$SRV.PING'],
  ['the system', '$SYS.>', '$SYS.ACCOUNT.x'],
] as const;

describe.each([
  ['scoped', true],
  ['explicit', false],
])('a peel with %s credentials', (_, scoped) => {
  let server: OperatorServer;
  let peel: NatsConnection;
  /** A user with full permissions in the account, who sees everything. */
  let witness: NatsConnection;
  const violations: PermissionViolationError[] = [];

  beforeAll(async () => {
    server = await startOperatorServer();
    witness = await server.connect(await server.user('witness'));
    peel = await server.connect(
      await server.bootstrap('web-01', { scoped }),
      // a peel's options, except for the server
      { inboxPrefix: natsOptionsForPeel('unused.creds', 'web-01').inboxPrefix ?? '' },
    );
    void collect(peel, violations);
  });
  afterAll(() => server.close());

  it.each(MAY_PUBLISH)('may publish %s: %s', async (_, subject) => {
    expect(await publish(subject)).toEqual({ arrived: [subject], denied: [] });
  });

  it.each(MAY_NOT_PUBLISH)('may not publish %s: %s', async (_, subject) => {
    expect(await publish(subject)).toEqual({ arrived: [], denied: [`publish ${subject}`] });
  });

  it.each(MAY_SUBSCRIBE)('may subscribe to %s: %s', async (_, subject, example) => {
    expect(await subscribe(subject, example)).toEqual({ arrived: [example], denied: [] });
  });

  it.each(MAY_SUBSCRIBE)('may subscribe to %s in a queue group: %s', async (_, subject, example) => {
    expect(await subscribe(subject, example, 'group')).toEqual({ arrived: [example], denied: [] });
  });

  it.each(MAY_NOT_SUBSCRIBE)('may not subscribe to %s: %s', async (_, subject, example) => {
    expect(await subscribe(subject, example)).toEqual({ arrived: [], denied: [`subscription ${subject}`] });
  });

  it.each(MAY_NOT_SUBSCRIBE)('may not subscribe to %s in a queue group: %s', async (_, subject, example) => {
    expect(await subscribe(subject, example, 'group')).toEqual({
      arrived: [],
      denied: [`subscription ${subject}`],
    });
  });

  it.each([
    ['a master', 'zester-master', masterUserJwtOptions, MASTER_INBOX_PREFIX],
    ['an admin', 'zester-admin', adminUserJwtOptions, ADMIN_INBOX_PREFIX],
  ] as const)('answers %s on a subject of its own', async (_who, name, options, inboxPrefix) => {
    const caller = await server.connect(
      await server.user(name, options(server.trust.account.key.publicKey)),
      { inboxPrefix },
    );
    const replies: (string | undefined)[] = [];
    const commands = peel.subscribe('zester.cmd.web-01.>', {
      callback: (_error, msg) => {
        replies.push(msg.reply);
        answerCommand(msg, 'web-01', `${msg.string()}: done`);
      },
    });
    await peel.flush();
    const answer = await requestPeel(caller, 'web-01', 'uptime', { command: 'run' });
    expect(answer.string()).toBe('uptime: done');
    expect(answer.subject).toBe(replies[0]);
    expect(answer.subject).toMatch(/^zester\.job\.[\w-]{22}\.return\.web-01$/);
    commands.unsubscribe();
    await peel.flush();
    await expect(requestPeel(caller, 'web-01', '', { command: 'run' })).rejects.toMatchObject({
      code: 'ERR_FLEET_NOT_CONNECTED',
      peelId: 'web-01',
    });
  });

  it('may not publish to the reply subject of a message that it received', async () => {
    const got: Msg[] = [];
    const commands = peel.subscribe('zester.cmd.web-01', { callback: (_, msg) => void got.push(msg) });
    await peel.flush();
    for (const reply of ['_INBOX.other.1', '$JS.API.STREAM.LIST', 'zester.cmd.web-02']) {
      got.length = 0;
      violations.length = 0;
      witness.publish('zester.cmd.web-01', '', { reply });
      await witness.flush();
      await settled(peel);
      expect(answerCommand(got[0] as Msg, 'web-01', 'x')).toBe(false);
      got[0]?.respond('x');
      await settled(peel);
      expect(violations.map(show)).toEqual([`publish ${reply}`]);
    }
    commands.unsubscribe();
  });

  it('can send a master a request, and receives the answer in its own inbox', async () => {
    const master = await server.connect(
      await server.user('zester-master', masterUserJwtOptions(server.trust.account.key.publicKey)),
      { inboxPrefix: MASTER_INBOX_PREFIX },
    );
    const replies: (string | undefined)[] = [];
    const service = master.subscribe('zester.auth.*.renew', {
      callback: (_, msg) => {
        replies.push(msg.reply);
        msg.respond(`for ${msg.subject.split('.')[2] ?? ''}`);
      },
    });
    await master.flush();
    expect((await peel.request('zester.auth.web-01.renew', '', { timeout: 5_000 })).string()).toBe(
      'for web-01',
    );
    expect(replies).toEqual([expect.stringMatching(/^_INBOX\.web-01\./)]);
    service.unsubscribe();
  });

  it('leaves another peel its own subjects', async () => {
    const other = await server.connect(await server.bootstrap('web-02', { scoped }));
    const commands = other.subscribe('zester.cmd.web-02.>', { max: 1 });
    await other.flush();
    witness.publish('zester.cmd.web-02.run', 'for web-02');
    for await (const msg of commands) expect(msg.string()).toBe('for web-02');
    const denied: PermissionViolationError[] = [];
    void collect(other, denied);
    other.publish('zester.event.web-01.x');
    await settled(other);
    expect(denied.map(show)).toEqual(['publish zester.event.web-01.x']);
  });

  /**
   * The peel publishes.
   *
   * @returns what reaches the witness, and the server's errors
   */
  async function publish(subject: string): Promise<{ arrived: string[]; denied: string[] }> {
    const arrived: string[] = [];
    const all = witness.subscribe('>', { callback: (_, msg) => void arrived.push(msg.subject) });
    await witness.flush();
    violations.length = 0;
    peel.publish(subject, 'hello');
    await settled(peel);
    await witness.flush();
    all.unsubscribe();
    return { arrived, denied: violations.map(show) };
  }

  /**
   * The peel subscribes, and the witness publishes an example.
   *
   * @returns what reaches the peel, and the server's errors
   */
  async function subscribe(
    subject: string,
    example: string,
    queue?: string,
  ): Promise<{ arrived: string[]; denied: string[] }> {
    const arrived: string[] = [];
    violations.length = 0;
    const subscription = peel.subscribe(subject, {
      ...(queue !== undefined && { queue }),
      callback: (error, msg) => {
        if (error === null) arrived.push(msg.subject);
      },
    });
    await peel.flush();
    witness.publish(example, 'hello');
    await witness.flush();
    await settled(peel);
    subscription.unsubscribe();
    return { arrived, denied: violations.map(show) };
  }
});

async function collect(nc: NatsConnection, into: PermissionViolationError[]): Promise<void> {
  for await (const status of nc.status()) {
    if (status.type === 'error' && status.error instanceof PermissionViolationError) into.push(status.error);
  }
}

/** Waits until the server has processed everything sent, and its errors have reached the client's iterator. */
async function settled(nc: NatsConnection): Promise<void> {
  await nc.flush();
  await nc.flush();
}

function show({ operation, subject }: PermissionViolationError): string {
  return `${operation} ${subject}`;
}
