import { describe, expect, it } from 'vitest';
import type { AuditEvent, PeelEvent } from '../../src/protocol/records/audit-event.js';
import { applyEvent } from '../../src/protocol/records/apply-event.js';
import { AuditFold, rivals } from '../../src/doctor/integrity/audit-fold.js';

const by = { kind: 'admin' as const, name: 'a' };
const event = (number: number, more: object, peelId = 'web-01'): PeelEvent =>
  ({ id: `e${number}`, at: '2026-01-01T00:00:00.000Z', by, peelId, number, ...more }) as PeelEvent;
const requested = event(1, { kind: 'peel.requested', publicKey: 'UA', origin: 'join token x' });
const accepted = event(2, { kind: 'peel.accepted' });
const record = [requested, accepted].reduce(applyEvent, undefined as never as ReturnType<typeof applyEvent>);
const stored = { record, eventId: 'e2' };

function folded(...events: AuditEvent[]): AuditFold {
  const fold = new AuditFold();
  for (const each of events) fold.add(each);
  return fold;
}

describe('the audit log, replayed,', () => {
  it('agrees with its record, even if events are stored out of order or twice', () => {
    expect(folded(requested, accepted).compare('web-01', stored)).toBeUndefined();
    expect(folded(accepted, requested).compare('web-01', stored)).toBeUndefined();
    const twice = folded(requested, accepted, requested);
    expect(twice.compare('web-01', stored)).toBeUndefined();
    expect(twice.doubtful).toEqual(new Set(['web-01']));
    expect(rivals([requested, accepted, requested])).toBeUndefined();
  });

  it('finds events that only one of the two has', () => {
    expect(folded().compare('web-01', stored)).toMatch(/without an event/);
    expect(folded(requested).compare('web-01', stored)).toMatch(/2 changes, but the audit log only 1/);
    expect(folded(requested, accepted).compare('web-01', undefined)).toMatch(/there is no record/);
    expect(folded(accepted).compare('web-01', stored)).toMatch(/none with the number 1/);
    expect(
      folded(requested, accepted, event(3, { kind: 'rotation.asked' })).compare('web-01', stored),
    ).toMatch(/audit log has 3 changes, but the record only 2/);
  });

  it('finds a record that differs', () => {
    const fold = folded(requested, accepted);
    expect(fold.compare('web-01', { record: { ...record, state: 'active' }, eventId: 'e2' })).toMatch(
      /says active/,
    );
    const keys = record.keys.map((key) => ({ ...key, publicKey: 'UB' }));
    expect(fold.compare('web-01', { record: { ...record, keys }, eventId: 'e2' })).toMatch(/the key UB/);
    expect(fold.compare('web-01', { record: { ...record, keys: [] }, eventId: 'e2' })).toMatch(
      /lacks the key UA/,
    );
    const labels = { env: 'prod' };
    expect(fold.compare('web-01', { record: { ...record, labels }, eventId: 'e2' })).toMatch(
      /labels "env=prod", but the audit log says ""/,
    );
    expect(fold.compare('web-01', { record, eventId: 'other' })).toMatch(/differs from the one/);
  });

  it('finds two events that claim the same number', () => {
    expect(rivals([requested, { ...requested, id: 'forged' }])).toMatch(/two events with the number 1/);
  });
});

describe('the audit whose first events the retention has deleted,', () => {
  const trimmed = (...events: AuditEvent[]) => {
    const fold = new AuditFold({ trimmedBefore: '2026-01-01T00:00:00.000Z' });
    for (const each of events) fold.add(each);
    return fold;
  };
  const third = event(3, { kind: 'rotation.asked' });
  const now = { record: applyEvent(record, third), eventId: 'e3' };

  it('agrees with a record whose last events it has, or that has not changed since', () => {
    expect(trimmed(accepted, third).compare('web-01', now)).toBeUndefined();
    expect(trimmed(requested, accepted, third).compare('web-01', now)).toBeUndefined();
    expect(trimmed().compare('web-01', stored)).toBeUndefined();
  });

  it('finds a record that changed later without an event, or with another one', () => {
    const later = { ...now, record: { ...now.record, updatedAt: '2026-02-01T00:00:00.000Z' } };
    expect(trimmed().compare('web-01', later)).toMatch(/without an event/);
    expect(trimmed(accepted).compare('web-01', now)).toMatch(/3 changes, but the audit log only 2/);
    expect(trimmed(accepted, third).compare('web-01', { ...now, eventId: 'x' })).toMatch(/differs/);
    expect(trimmed(accepted, event(4, { kind: 'rotation.asked' })).compare('web-01', now)).toMatch(/event 4/);
    expect(trimmed(accepted, third).compare('web-01', undefined)).toMatch(/there is no record/);
  });
});
