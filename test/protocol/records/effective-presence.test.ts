import { describe, expect, it } from 'vitest';
import { isPeelConnected, effectivePresence } from '../../../src/protocol/records/effective-presence.js';
import type { PeelKeyState, PeelRecord } from '../../../src/protocol/records/record.js';

const recordWith = (...states: PeelKeyState[]): PeelRecord => ({
  id: 'web-01',
  state: 'active',
  keys: states.map((state, i) => ({ publicKey: `U${i}`, state })),
  number: 1,
  createdAt: '',
  updatedAt: '',
});
const presence = {
  lastSeen: '2030-01-01T00:00:00Z',
  connections: [0, 1].map((cid) => ({ server: 'S1', cid, publicKey: `U${cid}`, since: '' })),
};

describe('the presence of a peel', () => {
  it('has no connection with a key that every server has confirmed to be revoked', () => {
    const record = recordWith('revoked', 'live');
    expect(effectivePresence(record, presence)?.connections.map(({ cid }) => cid)).toEqual([1]);
    expect(isPeelConnected(record, presence)).toBe(true);
    const revoked = recordWith('revoked', 'revoked');
    expect(effectivePresence(revoked, presence)).toEqual({ lastSeen: presence.lastSeen, connections: [] });
    expect(isPeelConnected(revoked, presence)).toBe(false);
  });

  it('names a connection whose revocation is not confirmed', () => {
    expect(isPeelConnected(recordWith('revoking', 'revoking'), presence)).toBe(true);
    expect(effectivePresence(recordWith('revoking', 'live'), presence)).toBe(presence);
  });

  it('is not known of a peel that was never seen', () => {
    expect(effectivePresence(recordWith(), undefined)).toBeUndefined();
    expect(isPeelConnected(recordWith(), undefined)).toBe(false);
  });
});
