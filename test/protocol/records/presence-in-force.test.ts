import { describe, expect, it } from 'vitest';
import { isConnectedInForce, presenceInForce } from '../../../src/protocol/records/presence-in-force.js';
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
    expect(presenceInForce(record, presence)?.connections.map(({ cid }) => cid)).toEqual([1]);
    expect(isConnectedInForce(record, presence)).toBe(true);
    const revoked = recordWith('revoked', 'revoked');
    expect(presenceInForce(revoked, presence)).toEqual({ lastSeen: presence.lastSeen, connections: [] });
    expect(isConnectedInForce(revoked, presence)).toBe(false);
  });

  it('names a connection whose revocation is not confirmed', () => {
    expect(isConnectedInForce(recordWith('revoking', 'revoking'), presence)).toBe(true);
    expect(presenceInForce(recordWith('revoking', 'live'), presence)).toBe(presence);
  });

  it('is not known of a peel that was never seen', () => {
    expect(presenceInForce(recordWith(), undefined)).toBeUndefined();
    expect(isConnectedInForce(recordWith(), undefined)).toBe(false);
  });
});
