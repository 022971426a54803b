import { describe, expect, it } from 'vitest';
import {
  NAMED,
  RecordCheck,
  type FleetSource,
  type StreamMessage,
} from '../../src/doctor/integrity/record-check.js';
import { auditSubject } from '../../src/permissions/names.js';
import { applyEvent } from '../../src/protocol/records/apply-event.js';
import type { PeelEvent } from '../../src/protocol/records/audit-event.js';
import type { PeelRecord } from '../../src/protocol/records/record.js';
import type { ConnectedUser } from '../../src/system-account/connected-users.js';

const by = { kind: 'admin' as const, name: 'zester-admin' };
const at = '2026-01-01T00:00:00.000Z';
const eventOf = (peelId: string, number: number, more: object): PeelEvent =>
  ({ id: `${peelId}-${number}`, at, by, peelId, number, ...more }) as PeelEvent;
const requested = (id: string) =>
  eventOf(id, 1, { kind: 'peel.requested', publicKey: `U${id}`, origin: 'join token ci' });
const accepted = (id: string) => eventOf(id, 2, { kind: 'peel.accepted' });

/** The stored state of a fleet, in memory, with entries of its masters and of others. */
class MemoryFleet implements FleetSource {
  readonly #audit: StreamMessage[] = [];
  readonly #records: StreamMessage[] = [];
  readonly #tokens: StreamMessage[] = [];
  /** Runs while the check waits. */
  inFlight: () => void = () => undefined;

  /** Publishes an event. A master sets the subject and the message ID. */
  publish(
    event: { id: string; kind: string; peelId?: string },
    subject?: string,
    messageId = event.id,
  ): void {
    this.raw(subject ?? auditSubject(event.peelId, event.kind), event, messageId);
  }

  raw(subject: string, content: object, messageId = ''): void {
    add(this.#audit, subject, content, { 'Nats-Msg-Id': messageId });
  }

  /** Stores the record that these events produce, together with the last event. */
  store(...events: PeelEvent[]): PeelRecord {
    const record = events.reduce<PeelRecord | undefined>(applyEvent, undefined);
    const event = events.at(-1);
    if (record === undefined || event === undefined) throw new Error('a record has events');
    this.put(record.id, { record, event });
    return record;
  }

  put(id: string, value: object, operation = ''): void {
    add(this.#records, `$KV.zester-peels.${id}`, value, { 'KV-Operation': operation });
  }

  /** A peel with a record and all its events. */
  add(id: string): void {
    const events = [requested(id), accepted(id)];
    for (const event of events) this.publish(event);
    this.store(...events);
  }

  token(id: string, publicKey: string, more: object = {}): void {
    const token = {
      id,
      publicKey,
      createdAt: at,
      expiresAt: at,
      createdBy: by,
      uses: 1,
      used: 0,
      usedBy: [],
      ...more,
    };
    add(this.#tokens, `$KV.zester-fleet.token.${id}`, token, {});
  }

  async *audit(filter: string): AsyncGenerator<StreamMessage> {
    const pattern = filter.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replace('>', '.+');
    const subjects = new RegExp(`^${pattern}$`);
    yield* this.#audit.filter(({ subject }) => subjects.test(subject));
  }

  async *records(): AsyncGenerator<StreamMessage> {
    yield* [...this.#records];
  }

  async *tokens(): AsyncGenerator<StreamMessage> {
    yield* [...this.#tokens];
  }

  async record(id: string): Promise<Uint8Array | undefined> {
    return this.#records.findLast(({ subject }) => subject.endsWith(`.${id}`))?.data;
  }

  async settle(): Promise<void> {
    this.inFlight();
    this.inFlight = () => undefined;
  }

  async check(users: Partial<ConnectedUser>[] = []) {
    const check = new RecordCheck(this, { progress: () => undefined });
    const keys = await check.run(users as ConnectedUser[]);
    const findings = check.findings();
    return { keys, findings, found: findings.map(({ check: kind, subject }) => `${kind} ${subject}`) };
  }
}

function add(to: StreamMessage[], subject: string, content: object, headers: Record<string, string>): void {
  to.push({
    subject,
    data: Buffer.from(JSON.stringify(content)),
    seq: to.length + 1,
    headers: { get: (name) => headers[name] ?? '' },
  });
}

describe('a check of the records', () => {
  it('finds nothing in a fleet that only masters wrote to, and knows its keys', async () => {
    const fleet = new MemoryFleet();
    fleet.add('web-1');
    fleet.add('web-2');
    const { findings, keys } = await fleet.check();
    expect(findings).toEqual([]);
    expect([...keys]).toEqual([
      ['Uweb-1', 'issued'],
      ['Uweb-2', 'issued'],
    ]);
  });

  it('finds a record that was changed without an event', async () => {
    const fleet = new MemoryFleet();
    fleet.publish(requested('web-1'));
    const record = fleet.store(requested('web-1'));
    fleet.put('web-1', { record: { ...record, state: 'active' }, event: requested('web-1') });
    const { findings } = await fleet.check();
    expect(findings).toMatchObject([
      {
        check: 'record',
        subject: 'web-1',
        message: 'the record says active, but the audit log says pending',
      },
    ]);
  });

  it('finds a deleted record, and an invalid one', async () => {
    const fleet = new MemoryFleet();
    fleet.put('web-1', {}, 'DEL');
    fleet.put('web-2', { hello: 'world' });
    expect((await fleet.check()).found).toEqual(['record web-1', 'record web-2']);
  });

  it('forgives an event or a record that was in flight', async () => {
    const fleet = new MemoryFleet();
    fleet.store(requested('web-1'));
    fleet.publish(requested('web-2'));
    fleet.inFlight = () => {
      fleet.publish(requested('web-1'));
      fleet.store(requested('web-2'));
    };
    expect((await fleet.check()).findings).toEqual([]);
  });

  it.each([
    ['on a subject where no master writes it', 'zester.audit.web-2.peel.accepted', undefined],
    ['without the message ID that masters set', undefined, 'other'],
  ])('finds an event %s', async (_what, subject, messageId) => {
    const fleet = new MemoryFleet();
    fleet.add('web-1');
    const forged = eventOf('web-1', 3, { kind: 'peel.accepted' });
    fleet.publish(forged, subject, messageId);
    const { findings } = await fleet.check();
    expect(findings).toMatchObject([{ check: 'audit', subject: expect.stringMatching(/ 3$/) as string }]);
  });

  it('finds a message that is not an event, unless a newer version may have written its kind', async () => {
    const fleet = new MemoryFleet();
    fleet.raw('zester.audit._.master.started', { kind: 'master.started' });
    fleet.raw('zester.audit._.master.upgraded', { kind: 'master.upgraded' });
    const { findings } = await fleet.check();
    expect(findings.map(({ message }) => message)).toEqual([
      'the message on zester.audit._.master.started is not an event from a master',
    ]);
  });

  it('finds two events of one peel with the same number', async () => {
    const fleet = new MemoryFleet();
    fleet.add('web-1');
    fleet.publish({ ...eventOf('web-1', 2, { kind: 'peel.rejected' }), id: 'forged' });
    expect((await fleet.check()).findings).toMatchObject([
      { check: 'record', subject: 'web-1', message: expect.stringContaining('the number 2') as string },
    ]);
  });

  it('finds a join token that the audit log does not explain', async () => {
    const fleet = new MemoryFleet();
    const created = { id: 't1', at, by, publicKey: 'UCI', detail: { token: 'ci' } };
    fleet.publish({ ...created, kind: 'token.created' });
    fleet.token('ci', 'UCI');
    fleet.token('forged', 'UFORGED');
    fleet.token('old', 'UOLD', { removedAt: at });
    const { found, keys } = await fleet.check();
    expect(found).toEqual(['token forged', 'token old']);
    expect([keys.get('UCI'), keys.get('UOLD')]).toEqual(['issued', 'revoked']);
  });

  it('learns the key of a peel that connected while it read', async () => {
    const fleet = new MemoryFleet();
    fleet.inFlight = () => fleet.add('web-9');
    const { keys } = await fleet.check([{ name: 'web-9', publicKey: 'Uweb-9' }]);
    expect(keys.get('Uweb-9')).toBe('issued');
  });

  it('counts what an attacker wrote in bulk, and names the first few', async () => {
    const fleet = new MemoryFleet();
    for (let i = 0; i < NAMED + 50; i++) fleet.put(`p${i}`, {});
    const { findings } = await fleet.check();
    expect(findings).toHaveLength(NAMED);
    expect(findings.at(-1)?.message).toBe('and 51 more of this kind');
  });
});
