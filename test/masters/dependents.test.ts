import { expect, it } from 'vitest';
import type { KnownCredentials } from '../../src/fleet-client/key-use.js';
import { dependentsOf } from '../../src/masters/dependents.js';
import type { RosterEntry } from '../../src/masters/roster.js';
import type { PeelKey, PeelRecord } from '../../src/protocol/records/record.js';

const NOW = 1_800_000_000;
const master: RosterEntry = {
  name: 'host-b',
  keys: [
    { kind: 'peel-signing', publicKey: 'AOWN' },
    { kind: 'join-signing', publicKey: 'AJOIN' },
  ],
  systemKeys: [],
  users: [],
};

function record(
  id: string,
  { state = 'active' as PeelRecord['state'], issuer = 'AOWN', expiresAt = NOW + 60, keyState = 'live' } = {},
): PeelRecord {
  const key = { publicKey: `U-${id}`, state: keyState, issuer, issuedAt: NOW - 600, expiresAt };
  const at = '2026-01-01T00:00:00Z';
  return { id, state, keys: [key as PeelKey], number: 1, createdAt: at, updatedAt: at };
}

const known = (records: PeelRecord[]): KnownCredentials => ({
  records,
  tokens: [],
  connected: [],
  issued: [],
  revocations: {},
});

it('names the peels with a credential of the master, valid and expired ones apart', () => {
  const records = [
    record('web-2', { expiresAt: NOW - 1 }),
    record('web-1', { expiresAt: NOW }),
    record('web-3'),
    record('of-another', { issuer: 'AOTHER', expiresAt: NOW - 1 }),
    record('revoked', { state: 'revoked', keyState: 'revoked', expiresAt: NOW - 1 }),
    record('rejected', { state: 'rejected', expiresAt: NOW - 1 }),
  ];
  expect(dependentsOf(master, known(records), NOW * 1_000)).toEqual({
    peels: ['web-3'],
    expired: ['web-1', 'web-2'],
    tokens: [],
    connected: 0,
  });
});
