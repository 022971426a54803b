import { describe, expect, it } from 'vitest';
import type { JoinToken } from '../../src/protocol/records/join-token.js';
import { joinKeyUse, peelKeyUse, usableKeys, type KnownCredentials } from '../../src/fleet-client/key-use.js';
import type { PeelKey, PeelRecord } from '../../src/protocol/records/record.js';

const NOW = 1_800_000_000;
const K = 'ASIGNER';
const nothing: KnownCredentials = { records: [], tokens: [], connected: [], issued: [], revocations: {} };

function record(...keys: PeelKey[]): PeelRecord {
  const at = new Date(NOW * 1000).toISOString();
  return { id: 'web-01', state: 'active', keys, number: 1, createdAt: at, updatedAt: at };
}
const key = (publicKey: string, more: Partial<PeelKey> = {}): PeelKey => ({
  publicKey,
  state: 'live',
  issuer: K,
  issuedAt: NOW - 60,
  expiresAt: NOW + 60,
  ...more,
});

describe('the users of a peel signing key', () => {
  it('come from the registry, the home and the connections, each once', () => {
    const known = {
      ...nothing,
      records: [record(key('U1'), key('U2', { state: 'issued' }), key('U3', { state: 'retired' }))],
      issued: [{ peelId: 'web-09', publicKey: 'U4', issuer: K, issuedAt: NOW - 60 }],
      connected: [
        { publicKey: 'U1', issuer: K },
        { publicKey: 'U5', issuer: K },
        { publicKey: 'U6', issuer: 'ANOTHER' },
        { publicKey: 'U7', issuer: undefined },
      ],
    };
    expect(peelKeyUse(K, known, NOW)).toEqual({ valid: 5, connected: 2 });
  });

  it.each<[string, Partial<KnownCredentials>]>([
    ['signed by another key', { records: [record(key('U1', { issuer: 'ANOTHER' }))] }],
    ['expired', { records: [record(key('U1', { expiresAt: NOW - 1 }))] }],
    ['revoked in the registry', { records: [record(key('U1', { state: 'revoked' }))] }],
    ['revoked in the account', { records: [record(key('U1'))], revocations: { U1: NOW } }],
    [
      'issued by the home and renewed since by another key',
      {
        issued: [{ peelId: 'web-01', publicKey: 'U1', issuer: K, issuedAt: NOW - 60 }],
        records: [record(key('U1', { issuer: 'ANOTHER' }))],
      },
    ],
  ])('does not count what is %s', (_what, more) => {
    expect(peelKeyUse(K, { ...nothing, ...more }, NOW)).toEqual({ valid: 0, connected: 0 });
  });
});

describe('the users of a join-token signing key', () => {
  const token = (more: Partial<JoinToken> = {}): JoinToken => ({
    id: 'abcdefgh12',
    publicKey: 'UT',
    createdAt: new Date((NOW - 60) * 1000).toISOString(),
    expiresAt: new Date((NOW + 60) * 1000).toISOString(),
    createdBy: { kind: 'admin', name: 'zester-admin' },
    uses: 2,
    used: 1,
    usedBy: [],
    ...more,
  });

  it('are the valid tokens older than the current signing key', () => {
    const count = (tokens: JoinToken[], until?: number) =>
      joinKeyUse(K, { ...nothing, tokens }, until, NOW * 1000).valid;
    expect(count([token()])).toBe(1);
    expect(count([token()], (NOW - 120) * 1000)).toBe(0);
    expect(count([token({ used: 2 })])).toBe(0);
    expect(count([token({ removedAt: 'x' })])).toBe(0);
    expect(count([token({ expiresAt: new Date(NOW * 1000 - 1).toISOString() })])).toBe(0);
  });
});

describe('the keys of a record that a revocation must name', () => {
  it('are the keys with a JWT that is not revoked yet', () => {
    const waiting = key('U3', { state: 'requested', issuedAt: undefined });
    const keys = usableKeys(record(key('U1'), key('U2', { state: 'revoked' }), waiting));
    expect(keys).toEqual([{ publicKey: 'U1', issuedAt: NOW - 60 }]);
  });
});
