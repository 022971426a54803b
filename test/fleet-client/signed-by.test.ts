import { describe, expect, it } from 'vitest';
import type { KnownCredentials } from '../../src/fleet-client/key-use.js';
import { signedBy } from '../../src/fleet-client/signed-by.js';
import type { PeelKey, PeelRecord } from '../../src/protocol/records/record.js';

const NOW = 1_700_000_000;
const key = (publicKey: string, more: Partial<PeelKey> = {}) =>
  ({ publicKey, state: 'live', issuer: 'OLD', issuedAt: NOW - 60, expiresAt: NOW + 60, ...more }) as PeelKey;
const peel = (id: string, ...keys: PeelKey[]) => ({ id, keys, state: 'active' }) as unknown as PeelRecord;

function signed(known: Partial<KnownCredentials>) {
  const all = { records: [], tokens: [], connected: [], issued: [], revocations: {}, ...known };
  return signedBy('OLD', all, NOW * 1000);
}

describe('what a signing key signed', () => {
  it('is connected, offline, or about to be revoked', () => {
    const { peels, strangers } = signed({
      records: [
        peel('there', key('U1')),
        peel('away', key('U2')),
        peel('renewed', key('U3', { state: 'retired' }), key('U4', { issuer: 'NEW' })),
        peel('expired', key('U5', { expiresAt: NOW })),
        peel('of-another', key('U6', { issuer: 'NEW' })),
      ],
      connected: [{ publicKey: 'U1', issuer: 'OLD', name: 'there' }],
    });
    expect(peels.map(({ peelId, is }) => [peelId, is])).toEqual([
      ['away', 'offline'],
      ['renewed', 'replaced'],
      ['there', 'connected'],
    ]);
    expect(strangers).toEqual([]);
  });

  it('is one peel for any number of its keys, until the last expires', () => {
    const keys = [key('U1', { state: 'retired', expiresAt: NOW + 10 }), key('U2', { issuedAt: NOW - 1 })];
    expect(signed({ records: [peel('web', ...keys)] }).peels).toEqual([
      { peelId: 'web', is: 'offline', issuedAt: NOW - 1, expiresAt: NOW + 60 },
    ]);
    const forever = [...keys, key('U3', { expiresAt: undefined })];
    expect(signed({ records: [peel('web', ...forever)] }).peels[0]?.expiresAt).toBeUndefined();
  });

  it('is a stranger, if it is connected and no master accepted its key', () => {
    const { peels, strangers } = signed({
      records: [{ ...peel('pending', key('U1')), state: 'pending' }],
      connected: [
        { publicKey: 'U1', issuer: 'OLD', name: 'pending' },
        { publicKey: 'U2', issuer: 'OLD', name: '*' },
        { publicKey: 'U3', issuer: 'NEW', name: 'web' },
      ],
    });
    expect(peels).toEqual([]);
    expect(strangers).toEqual([
      { name: 'pending', publicKey: 'U1' },
      { name: '*', publicKey: 'U2' },
    ]);
  });
});
