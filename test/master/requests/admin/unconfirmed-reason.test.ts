import { describe, expect, it } from 'vitest';
import { unconfirmedReason } from '../../../../src/master/requests/admin/unconfirmed-reason.js';
import type { AuditEvent } from '../../../../src/protocol/records/audit-event.js';

const base = { id: 'x', peelId: 'web-1', by: { kind: 'master', name: 'm1' } } as const;
/** The master that decided has a clock that is an hour ahead. */
const decided = {
  ...base,
  kind: 'peel.revoked',
  upTo: 7,
  number: 3,
  at: '2026-01-01T13:00:00.000Z',
} as const;
const noted = (reason: string): AuditEvent =>
  ({ ...base, kind: 'revocation.incomplete', reason, at: '2026-01-01T12:00:01.000Z' }) as AuditEvent;

describe('why a revocation is not confirmed', () => {
  it('is the last one audited after the decision, even if masters’ clocks differ', () => {
    const events = [noted('before'), decided, noted('n2 is away'), noted('n3 is away')];
    expect(unconfirmedReason(events, 3)).toBe('n3 is away');
  });

  it('is not that of an earlier revocation', () => {
    expect(unconfirmedReason([noted('before'), decided], 3)).toBeUndefined();
    expect(unconfirmedReason([noted('before')], 3)).toBeUndefined();
  });
});
