import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../../src/protocol/records/audit-event.js';
import { auditSubjects, matchesAuditQuery } from '../../../src/protocol/records/audit-query.js';

const event = (kind: string, peelId?: string) => ({ kind, peelId }) as AuditEvent;

describe('a query of the audit', () => {
  it('matches by ID, by any of its patterns, and by any of its kinds', () => {
    const of = event('key.issued', 'web-01');
    expect(matchesAuditQuery({}, of)).toBe(true);
    expect(matchesAuditQuery({ peelId: 'web-01' }, of)).toBe(true);
    expect(matchesAuditQuery({ peelId: 'web-0' }, of)).toBe(false);
    expect(matchesAuditQuery({ patterns: ['db-*', 'web-*'] }, of)).toBe(true);
    expect(matchesAuditQuery({ patterns: ['db-*'] }, of)).toBe(false);
    expect(matchesAuditQuery({ kinds: ['peel.*', 'key.*'] }, of)).toBe(true);
    expect(matchesAuditQuery({ kinds: ['key.issued'], patterns: ['db-*'] }, of)).toBe(false);
    expect(matchesAuditQuery({ patterns: ['web-*'] }, event('master.started'))).toBe(false);
  });

  it('becomes the narrowest subject that covers all its events', () => {
    expect(auditSubjects({})).toBe('zester.audit.*.>');
    expect(auditSubjects({ peelId: 'web-01' })).toBe('zester.audit.web-01.>');
    expect(auditSubjects({ patterns: ['web-01'], kinds: ['key.issued'] })).toBe(
      'zester.audit.web-01.key.issued',
    );
    expect(auditSubjects({ patterns: ['web-01', 'web-02'], kinds: ['key.*'] })).toBe('zester.audit.*.>');
    expect(auditSubjects({ kinds: ['connection.refused'] })).toBe('zester.audit.*.connection.refused');
  });
});
