import { describe, expect, it } from 'vitest';
import { UnconfirmedEvents } from '../../../src/master/audit/unconfirmed-events.js';
import type { AuditEvent } from '../../../src/protocol/records/audit-event.js';
import { AUDIT_DEDUPLICATION_MS, AUDIT_GRACE_MS, AUDIT_SEEN_KEPT_MS } from '../../../src/timing.js';

const T0 = Date.parse('2030-01-01T00:00:00Z');
const event = (id: string) => ({ id, at: new Date(T0).toISOString(), kind: 'peel.accepted' }) as AuditEvent;

describe('an event in a record', () => {
  it('is left to its master for a while, and then published by this one, once', () => {
    const events = new UnconfirmedEvents();
    events.expect(event('a'), T0);
    expect(events.takeOverdue(T0 + AUDIT_GRACE_MS - 1)).toEqual([]);
    expect(events.takeOverdue(T0 + AUDIT_GRACE_MS)).toEqual([event('a')]);
    expect(events.takeOverdue(T0 + 2 * AUDIT_GRACE_MS)).toEqual([]);
  });

  it.each(['before', 'after'])('needs nothing if the stream stored it %s the record was seen', (order) => {
    const events = new UnconfirmedEvents();
    if (order === 'before') events.confirm('a', T0);
    events.expect(event('a'), T0);
    if (order === 'after') events.confirm('a', T0);
    expect(events.takeOverdue(T0 + AUDIT_GRACE_MS)).toEqual([]);
  });
});

describe('an event that a new record is about to hide', () => {
  it('is published unless the stream has it', () => {
    const events = new UnconfirmedEvents();
    expect(events.isMissing(event('a'), T0)).toBe(true);
    events.confirm('a', T0);
    expect(events.isMissing(event('a'), T0)).toBe(false);
  });

  it('is not published when the stream no longer remembers its ID: it would be stored twice', () => {
    expect(new UnconfirmedEvents().isMissing(event('a'), T0 + AUDIT_DEDUPLICATION_MS)).toBe(false);
  });

  it('is forgotten after some time, so that memory stays bounded', () => {
    const events = new UnconfirmedEvents();
    events.confirm('a', T0);
    events.takeOverdue(T0 + AUDIT_SEEN_KEPT_MS);
    expect(events.isMissing(event('a'), T0)).toBe(true);
  });
});
