import { describe, expect, it } from 'vitest';
import { masterEventsOf } from '../../src/master/master-event.js';
import type { AuditEntry } from '../../src/master/audit/audit-log.js';
import { AUDIT_KINDS, type AuditEvent, type PeelEvent } from '../../src/protocol/records/audit-event.js';
import { applyEvent } from '../../src/protocol/records/apply-event.js';
import type { PeelRecord } from '../../src/protocol/records/record.js';

const at = '2026-01-01T00:00:00.000Z';
const policy = { kind: 'policy', name: 'custom' } as const;
const admin = { kind: 'admin', name: 'admin' } as const;
const key = { publicKey: 'UA', issuer: 'AA', issuedAt: 1_767_225_600, expiresAt: 1_767_229_200 };

/** The events for changes of one record, in order. */
function eventsOf(...changes: Partial<AuditEvent>[]): { type: string }[] {
  let record: PeelRecord | undefined;
  return changes.flatMap((change, i) => {
    const event = { id: `e${i}`, at, by: policy, peelId: 'web-1', number: i + 1, ...change } as PeelEvent;
    const before = record;
    record = applyEvent(before, event);
    return masterEventsOf(event, before, record);
  });
}

const typesOf = (...changes: Partial<AuditEvent>[]) => eventsOf(...changes).map(({ type }) => type);

describe('the events of a master', () => {
  it('say that a host has joined and was accepted, at once or later', () => {
    expect(typesOf({ kind: 'key.issued', key })).toEqual(['joined', 'accepted', 'issued']);
    expect(
      typesOf(
        { kind: 'peel.requested', publicKey: 'UA', origin: 'join token x' },
        { kind: 'peel.accepted', by: admin },
        { kind: 'key.issued', key },
      ),
    ).toEqual(['joined', 'accepted', 'issued']);
    expect(
      typesOf(
        { kind: 'peel.requested', publicKey: 'UA', origin: 'join token x' },
        { kind: 'key.issued', key },
      ),
    ).toEqual(['joined', 'accepted', 'issued']);
    expect(typesOf({ kind: 'peel.appeared', key, origin: 'its own' }, { kind: 'peel.rejected' })).toEqual([
      'joined',
      'rejected',
    ]);
  });

  it('say that an admin has added a peel, which has not joined', () => {
    expect(typesOf({ kind: 'key.issued', key, by: admin })).toEqual(['accepted', 'issued']);
  });

  it('report what happens to keys, with times in milliseconds', () => {
    const next = { ...key, publicKey: 'UB' };
    const [, , , connected, renewed, rotated, revoked, confirmed] = eventsOf(
      { kind: 'key.issued', key },
      { kind: 'key.connected', publicKey: 'UA' },
      { kind: 'key.renewed', key },
      { kind: 'key.rotated', key: next, replaces: 'UA' },
      { kind: 'key.revoking', publicKeys: ['UA'], upTo: 1_767_225_600 },
      { kind: 'key.revoked', publicKeys: ['UA'] },
    );
    expect(connected).toMatchObject({ type: 'connected', peelId: 'web-1', publicKey: 'UA', at });
    expect(renewed).toMatchObject({ type: 'renewed', publicKey: 'UA', expiresAt: 1_767_229_200_000 });
    expect(rotated).toMatchObject({ type: 'keyRotated', publicKey: 'UB', replaces: 'UA' });
    expect(revoked).toMatchObject({ type: 'revoked', publicKeys: ['UA'] });
    expect(confirmed).toMatchObject({ type: 'revocationConfirmed', publicKeys: ['UA'] });
  });

  it('report refusals with their code and count', () => {
    const refused = { kind: 'request.refused', by: admin, code: 'ERR_FLEET_DENIED', reason: 'no' } as const;
    const event = (entry: object) => ({ id: 'e', at, ...entry }) as AuditEvent;
    expect(masterEventsOf(event({ ...refused, detail: { request: 'join', count: 7 } }))).toMatchObject([
      { type: 'refused', what: 'request', code: 'ERR_FLEET_DENIED', reason: 'no', count: 7, by: admin },
    ]);
    expect(masterEventsOf(event({ ...refused, kind: 'connection.refused' }))).toMatchObject([
      { type: 'refused', what: 'connection', count: 1 },
    ]);
    const held: AuditEntry = { kind: 'revocations.held', by: admin, detail: { peels: 9 } };
    expect(masterEventsOf(event(held))).toMatchObject([{ type: 'held', peels: 9 }]);
  });

  it('exist for every kind of the audit', () => {
    for (const kind of AUDIT_KINDS) {
      const event = {
        kind,
        id: 'e',
        at,
        by: admin,
        peelId: 'web-1',
        key,
        publicKeys: [],
      } as unknown as AuditEvent;
      expect(masterEventsOf(event).length, kind).toBeGreaterThan(0);
    }
  });
});
