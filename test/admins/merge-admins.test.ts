import { describe, expect, it } from 'vitest';
import { mergeAdmins } from '../../src/admins/merge-admins.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import type { AuditEvent } from '../../src/protocol/records/audit-event.js';

const { publicKey } = generateKeyBundle('user');
const event = (kind: 'admin.added' | 'admin.removed', more: Partial<AuditEvent> = {}) =>
  ({
    kind,
    id: 'x',
    at: '2026-11-01T00:00:10.000Z',
    by: { kind: 'admin', name: 'zester admin add' },
    publicKey,
    detail: { admin: 'ann', role: 'viewer', issued: '2026-11-01T00:00:09.000Z' },
    ...more,
  }) as AuditEvent;
const issuedAt = Date.parse('2026-11-01T00:00:09.000Z') / 1000;
const ann = { name: 'ann', role: 'viewer', publicKey, issuedAt, expiresAt: undefined } as const;

describe('the admins of a fleet', () => {
  it('are those of the home and those of the audit log, each key once', () => {
    const other = { ...ann, name: 'ben', publicKey: generateKeyBundle('user').publicKey, issuedAt: 1 };
    expect(mergeAdmins([], [event('admin.added')])).toEqual([ann]);
    expect(mergeAdmins([ann, other], [event('admin.added')])).toEqual([other, ann]);
  });

  it('are removed if either source says so', () => {
    const removed = { ...ann, removedAt: issuedAt + 1 };
    expect(mergeAdmins([], [event('admin.added'), event('admin.removed')])).toEqual([removed]);
    expect(mergeAdmins([removed], [event('admin.added')])).toEqual([removed]);
  });

  it('expire when the audit log says so', () => {
    const detail = { admin: 'ann', role: 'viewer', expires: '2026-11-02T00:00:00.000Z' };
    expect(mergeAdmins([], [event('admin.added', { detail })])[0]).toMatchObject({
      issuedAt: issuedAt + 1,
      expiresAt: Date.parse('2026-11-02T00:00:00.000Z') / 1000,
    });
  });

  it.each([
    ['no key', { publicKey: undefined }],
    ['a key that is none', { publicKey: 'U\u001b[31m' }],
    ['the role of the owner', { detail: { admin: 'ann', role: 'owner' } }],
    ['a name that a terminal acts on', { detail: { admin: 'ann\u001b[31m', role: 'viewer' } }],
    ['nothing about it', { detail: undefined }],
    ['no time', { at: 'today', detail: { admin: 'ann', role: 'viewer' } }],
  ])('are not taken from an event with %s', (_what, more) => {
    expect(mergeAdmins([], [event('admin.added', more as Partial<AuditEvent>)])).toEqual([]);
  });
});
