import { describe, expect, it } from 'vitest';
import { AuditFold } from '../../../src/doctor/integrity/audit-fold.js';
import { Registry, type Decision, type RegistryAudit } from '../../../src/master/registry/registry.js';
import { parseAnyEvent, parseEvent } from '../../../src/protocol/records/parse-event.js';
import { parseAnswer } from '../../../src/protocol/messages.js';
import { parseStoredRecord } from '../../../src/protocol/records/stored-record.js';
import { keptLog } from '../../support/kept-log.js';
import { MemoryBucket } from '../../support/memory-bucket.js';
import { refusal } from '../../support/refusal.js';

const at = '2030-01-01T00:00:00.000Z';
const by = { kind: 'robot', name: 'admin-1', session: 's1' };
/** A record of a newer version, with additional fields at every depth. */
const newer = {
  proof: { alg: 'x' },
  record: {
    id: 'web-1',
    state: 'active',
    number: 2,
    createdAt: at,
    updatedAt: at,
    decided: { by: { kind: 'robot', name: 'admin-1', session: 's1' }, at, ticket: 'T-1' },
    keys: [
      { publicKey: 'UA', state: 'live', issuer: 'AX', issuedAt: 1_900_000_000, hardware: { tpm: true } },
    ],
    quarantine: { until: at },
  },
  event: { id: 'e2', at, kind: 'peel.quarantined', by, peelId: 'web-1', number: 2, until: at },
};
const renewed: Decision = {
  change: { kind: 'key.renewed', key: { publicKey: 'UA', issuer: 'AX', issuedAt: 1_900_000_100 } },
  by: { kind: 'admin', name: 'zester-admin' },
};
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

async function opened(value: unknown) {
  const bucket = new MemoryBucket();
  bucket.set('web-1', value);
  const unseen: unknown[] = [];
  const audit = {
    complete: (entry: object) => ({ ...entry, id: 'e3', at }),
    decided: () => undefined,
    publishUnseen: (event: unknown) => void unseen.push(event),
    expect: () => undefined,
  } as unknown as RegistryAudit;
  return { registry: await Registry.open(bucket.kv, audit, keptLog().logger), bucket, unseen };
}

describe('a record of a newer version', () => {
  it('keeps every field that this version does not know when this version changes it', async () => {
    const { registry, bucket, unseen } = await opened(newer);
    await registry.decide('web-1', () => renewed);
    const after = bucket.value('web-1');
    expect(after).toMatchObject({
      proof: newer.proof,
      record: { ...newer.record, number: 3, keys: [{ ...newer.record.keys[0], issuedAt: 1_900_000_100 }] },
      event: { kind: 'key.renewed', number: 3 },
    });
    // the overwritten event, byte for byte
    expect(unseen).toEqual([newer.event]);
  });

  it('keeps the fields of an event of a known kind, at every depth', () => {
    const key = { publicKey: 'UA', issuer: 'AX', issuedAt: 1_900_000_100, hardware: { tpm: true } };
    const event = { id: 'e3', at, kind: 'key.renewed', key, by, peelId: 'web-1', number: 3, site: { id: 1 } };
    expect(parseEvent(bytes(event))).toEqual(event);
    expect(parseEvent(bytes({ ...event, key: { ...key, issuedAt: '1' } }))).toBeUndefined();
    expect(parseEvent(bytes({ ...event, kind: 'constructor' }))).toBeUndefined();
  });

  it('can be revoked', async () => {
    const { registry, bucket } = await opened(newer);
    await registry.decide('web-1', () => ({
      ...renewed,
      change: { kind: 'peel.revoked', upTo: 1_900_000_200 },
    }));
    expect(bucket.value('web-1')).toMatchObject({
      record: {
        state: 'revoked',
        keys: [{ state: 'revoking', hardware: { tpm: true } }],
        quarantine: { until: at },
      },
    });
  });

  it('stays as it is in a state that this version cannot judge', async () => {
    const unknown = { ...newer, record: { ...newer.record, state: 'quarantined' } };
    const { registry, bucket } = await opened(unknown);
    await refusal('ERR_FLEET_RECORD', () => registry.decide('web-1', () => renewed));
    expect(bucket.value('web-1')).toEqual(unknown);
  });
});

describe('an event of a newer version', () => {
  it('is not taken for one of this version, and keeps its fields', () => {
    expect(parseEvent(bytes(newer.event))).toBeUndefined();
    expect(parseAnyEvent(bytes(newer.event))).toEqual(newer.event);
    const fields = {
      ...newer.event,
      kind: 'key.renewed',
      key: { ...renewed.change, publicKey: 'UA', issuer: 'AX', issuedAt: 1, hsm: 'h' },
    };
    expect(parseEvent(bytes(fields))).toEqual(fields);
  });

  it.each([
    ['a known kind in another form', { ...newer.event, kind: 'key.renewed' }],
    ['a kind that would be other tokens of a subject', { ...newer.event, kind: 'peel.>' }],
  ])('is not %s', (_what, event) => {
    expect(parseAnyEvent(bytes(event))).toBeUndefined();
    expect(parseStoredRecord(bytes({ ...newer, event }))).toBeUndefined();
  });

  it('counts when the audit log is folded, but its changes are not checked', () => {
    const fold = new AuditFold();
    const parsed = parseStoredRecord(bytes(newer));
    if (parsed === undefined) throw new Error('it is not read');
    const stored = { record: parsed.record, eventId: 'e2' };
    const first = { id: 'e1', at, by: { kind: 'admin' as const, name: 'a' }, peelId: 'web-1', number: 1 };
    const key = { publicKey: 'UA', issuer: 'AX', issuedAt: 1_900_000_000 };
    fold.add({ ...first, kind: 'key.issued', key });
    expect(fold.compare('web-1', stored)).toMatch(/only 1 of them/);
    const event = parseAnyEvent(bytes(newer.event));
    if (event !== undefined) fold.add(event);
    expect(fold.compare('web-1', stored)).toBeUndefined();
    expect(fold.newerKind('web-1')).toBe('peel.quarantined');
    expect(fold.compare('web-1', { ...stored, eventId: 'forged' })).toMatch(/differs from the one/);
  });

  it('does not hide the others from an older command', () => {
    const known = {
      id: 'e1',
      at,
      by: { kind: 'admin', name: 'a' },
      peelId: 'web-1',
      number: 1,
      kind: 'peel.accepted',
    };
    const { events } = parseAnswer('audit', bytes({ events: [newer.event, known], lastSeq: 2 }));
    expect(events).toEqual([known]);
  });
});
