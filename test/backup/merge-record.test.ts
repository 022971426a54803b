import { describe, expect, it } from 'vitest';
import { mustHoldRecovery, revokedSince, takesBackup } from '../../src/backup/merge-record.js';
import type { PeelKey, PeelRecord } from '../../src/protocol/records/record.js';

const NOW = 2_000;
const key = (publicKey: string, state: PeelKey['state'] = 'live', more: Partial<PeelKey> = {}): PeelKey => ({
  publicKey,
  state,
  issuedAt: 1_000,
  ...more,
});
const record = (more: Partial<PeelRecord> = {}): PeelRecord => ({
  id: 'web-01',
  state: 'active',
  keys: [key('UA')],
  number: 5,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-02T00:00:00.000Z',
  ...more,
});
const another = (more: Partial<PeelRecord> = {}) =>
  record({ createdAt: '2026-02-01T00:00:00.000Z', number: 1, ...more });

describe('the record of a backup takes the place', () => {
  it.each<[string, PeelRecord | undefined]>([
    ['of none', undefined],
    ['of the same one as it was before', record({ number: 3 })],
    ['of an undecided one, with the same key', another({ state: 'pending' })],
    [
      'of one that only requested to join',
      another({ state: 'pending', keys: [{ publicKey: 'UX', state: 'requested' }] }),
    ],
  ])('%s', (_what, living) => {
    expect(takesBackup(record(), living)).toBe(true);
  });
});

describe('the record of the fleet stays', () => {
  it.each<[string, PeelRecord]>([
    ['when it is the same', record()],
    ['when it is the same, and newer', record({ number: 9 })],
    ['when it is the same and older, but revoked since', record({ number: 4, state: 'revoked' })],
    ['when it is the same and older, but rejected since', record({ number: 4, state: 'rejected' })],
    [
      'when it is older, but a key of it was revoked since',
      record({ number: 4, keys: [key('UA', 'revoking')] }),
    ],
    ['when it is another one that was accepted', another({ state: 'accepted' })],
    ['when it is another one that was revoked', another({ state: 'revoked' })],
    ['when it is another one that was rejected', another({ state: 'rejected' })],
    ['when it is pending with a key that the backup lacks', another({ state: 'pending', keys: [key('UX')] })],
  ])('%s', (_what, living) => {
    expect(takesBackup(record(), living)).toBe(false);
  });
});

describe('a record whose key was revoked since', () => {
  it('is revoked when it is the key in use, whether a JWT of it has connected or not', () => {
    for (const state of ['live', 'issued'] as const)
      expect(revokedSince(record({ keys: [key('UA', state)] }), { UA: 1_000 }, NOW)).toEqual({
        kind: 'peel.revoked',
        upTo: NOW,
      });
  });

  it('has only that key revoked if another one is in use', () => {
    const rotated = record({ keys: [key('UA', 'retired'), key('UB')] });
    expect(revokedSince(rotated, { UA: 1_500 }, NOW)).toEqual({
      kind: 'key.revoking',
      publicKeys: ['UA'],
      upTo: NOW,
    });
  });

  it.each<[string, PeelRecord, Record<string, number>]>([
    ['no revocation is of its keys', record(), { UX: 5_000 }],
    ['the revocation is older than its JWT', record(), { UA: 999 }],
    ['the record knows it already', record({ keys: [key('UA', 'revoked')] }), { UA: 1_500 }],
    ['the record is being revoked', record({ keys: [key('UA', 'revoking')] }), { UA: 1_500 }],
    ['the peel is revoked', record({ state: 'revoked' }), { UA: 1_500 }],
    ['the peel was rejected', record({ state: 'rejected' }), { UA: 1_500 }],
    ['its key never had a JWT', record({ keys: [{ publicKey: 'UA', state: 'requested' }] }), { UA: 1_500 }],
    ['every key up to a time is revoked: the peel may have had a newer JWT', record(), { '*': 5_000 }],
  ])('stays as it is when %s', (_what, of, revocations) => {
    expect(revokedSince(of, revocations, NOW)).toBeUndefined();
  });
});

describe('a restored peel', () => {
  it.each([
    ['does not need an admin to recover while its key is valid', { expiresAt: NOW + 1 }, 'active', false],
    ['nor while its revocation would still be remembered', { expiresAt: NOW - 599 }, 'active', false],
    ['needs one after that', { expiresAt: NOW - 600 }, 'active', true],
    ['needs none when its key does not expire', {}, 'active', false],
    ['cannot recover anyway when it is revoked', { expiresAt: 0 }, 'revoked', false],
  ] as const)('%s', (_what, more, state, expected) => {
    expect(mustHoldRecovery(record({ state, keys: [key('UA', 'live', more)] }), NOW)).toBe(expected);
  });
});
