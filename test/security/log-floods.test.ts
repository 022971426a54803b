// Messages from others cannot fill the log of a peel, the log of a master or the audit log, and every decision is audited.
import { headers as newHeaders } from '@nats-io/nats-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AdminClient } from '../../src/protocol/admin-client.js';
import { encodeJson } from '../../src/protocol/messages.js';
import { adminUserName } from '../../src/permissions/admin-names.js';
import {
  ADMIN_INBOX_PREFIX,
  adminSubject,
  commandSubject,
  noticeSubject,
} from '../../src/permissions/names.js';
import { newCommandReply } from '../../src/protocol/command-reply.js';
import { contextOf } from '../../src/master/context-of.js';
import { readAudit } from '../../src/master/audit/read-audit.js';
import type { AuditEvent } from '../../src/protocol/records/audit-event.js';
import { connectMaster } from '../../src/connection/connect.js';
import { connectUser } from '../integration/fleet/asking.js';
import { Fleet } from '../integration/fleet/fleet.js';
import { addCreds, TestPeel } from '../integration/fleet/peels.js';
import { startHome } from '../integration/trust/support.js';
import { atEnd } from '../support/cleanup.js';
import { keptLog } from '../support/kept-log.js';
import { waitFor } from '../support/wait-for.js';

/** Messages of a flood. */
const COUNT = 500;

let fleet: Fleet;
let admin: AdminClient;
const log = keptLog();

beforeAll(async () => {
  fleet = new Fleet(await startHome());
  await fleet.startMaster({ policy: 'auto-trusted', logger: log.logger });
  admin = await fleet.admin();
});

describe('the log of a peel', () => {
  it('logs repeated notices and commands in a few lines, with their number', async () => {
    const { logger, lines } = keptLog();
    const path = await addCreds(fleet, admin, 'web-1');
    const fails = () => {
      throw new Error('on purpose');
    };
    const peel = await TestPeel.start(fleet, path, { logger, handlers: { fails } });
    const sender = await connectUser(fleet, 'sender', undefined, ADMIN_INBOX_PREFIX);
    for (let i = 0; i < COUNT; i += 1) {
      sender.publish(noticeSubject('web-1'), `{"kind":"ended","n":${i}}`);
      sender.publish(commandSubject('web-1'), '{}', { reply: `$JS.API.STREAM.PURGE.x${i}` });
      sender.publish(commandSubject('web-1'), encodeJson({ handler: 'fails', args: [] }), {
        reply: newCommandReply('web-1'),
      });
    }
    await sender.flush();
    const types = ['noticeIgnored', 'commandRefused', 'commandFailed'] as const;
    // the program gets an event for each
    for (const type of types) await peel.event(type, COUNT);
    await peel.peel.drain();
    for (const type of types) {
      const about = lines.filter(({ fields }) => (fields as { type?: string }).type === type);
      expect(about.length, type).toBeLessThanOrEqual(11);
      const left = about.reduce((sum, { fields }) => sum + ((fields as { lines?: number }).lines ?? 1), 0);
      expect(left, type).toBe(COUNT);
    }
  });
});

describe('the owner', () => {
  it('cannot fill the audit log or the log of a master with refused requests under invented names, and every decision is audited', async () => {
    const { paths } = await fleet.home.domain();
    const nc = await connectMaster({ ...fleet.connection, credsPath: paths.adminCreds });
    atEnd(() => nc.close());
    await addCreds(fleet, admin, 'web-2');
    const started = log.lines.length;
    const sent = { refused: 0, decided: 0 };
    for (let name = 0; name < 60; name += 1) {
      for (let verb = 0; verb < 30; verb += 1) {
        // unsigned, of an unknown kind, in the name of an admin that does not exist
        const subject = `zester.admin.${adminUserName(`ghost-${name}`)}.peel.x${verb}`;
        nc.publish(subject, encodeJson({ peelId: `p-${verb}` }));
        nc.publish(adminSubject('peel.show'), encodeJson({ peelId: `p-${name}-${verb}` }));
        sent.refused += 2;
      }
      await admin.ask('peel.label', { peelId: 'web-2', set: { n: `${name}` } });
      sent.decided += 1;
    }
    await nc.flush();
    await admin.ask('peel.label', { peelId: 'web-2', set: { n: 'last' } });
    sent.decided += 1;
    const labelled = ({ kind }: AuditEvent) => kind === 'peel.labelled';
    await waitFor(
      'each decision in the audit log',
      async () => (await fleet.audit('web-2')).filter(labelled).length === sent.decided,
    );
    // counts are written when the master stops, or a minute later
    await fleet.startMaster();
    await fleet.master.stop();
    const [, second] = fleet.masters;
    if (second === undefined) throw new Error('there is a second master');
    const events: AuditEvent[] = [];
    for await (const event of readAudit(contextOf(second).store)) events.push(event);
    const refused = events.filter(({ kind, by }) => kind === 'request.refused' && by.kind === 'unknown');
    const total = refused.reduce((sum, { detail }) => sum + Number(detail?.['count']), 0);
    expect(total).toBe(sent.refused);
    // twenty names plus the others, each with twenty kinds plus the others; reported at once and afterwards
    expect(refused.length).toBeLessThanOrEqual(21 * 21 * 2);
    const names = new Set(refused.map(({ by }) => by.name));
    expect(names.size).toBeLessThanOrEqual(21);
    const lines = log.lines.slice(started).filter(({ text }) => text.includes('request.refused'));
    expect(lines.length).toBeLessThanOrEqual(2 * 51);
    expect(lines.some(({ fields }) => 'lines' in fields)).toBe(true);
  });
});

describe('an oversized request', () => {
  it('is refused before its signature is verified, for large headers and for a large payload', async () => {
    const { paths } = await fleet.home.domain();
    const nc = await connectMaster({ ...fleet.connection, credsPath: paths.adminCreds });
    atEnd(() => nc.close());
    const large = newHeaders();
    large.set('X', 'x'.repeat(100_000));
    const subject = adminSubject('status');
    for (const answer of [
      await nc.request(subject, '{}', { headers: large, timeout: 5_000 }),
      await nc.request(subject, 'x'.repeat(100_000), { timeout: 5_000 }),
    ])
      // a request without a signature that is not too large is refused with ERR_FLEET_PROOF
      expect(answer.json()).toMatchObject({
        error: { code: 'ERR_FLEET_REQUEST', message: expect.stringContaining('too large') as string },
      });
  });
});
