import { describe, expect, it } from 'vitest';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { fingerprint } from '../../../src/protocol/fingerprint.js';
import type { PeelKey, PeelRecord, PeelState } from '../../../src/protocol/records/record.js';
import { requireFingerprint } from '../../../src/protocol/records/require-fingerprint.js';

const [one, two] = [generateKeyBundle('user').publicKey, generateKeyBundle('user').publicKey];

/** The keys that an admin may approve. */
function approvable(state: PeelState, keys: Record<string, PeelKey['state']>): string[] {
  const record = {
    id: 'web-1',
    state,
    keys: Object.entries(keys).map(([publicKey, of]) => ({ publicKey, state: of })),
  } as unknown as PeelRecord;
  return [one, two].filter((publicKey) => {
    try {
      requireFingerprint(record, ` ${fingerprint(publicKey).toUpperCase()}`);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_FLEET_PROOF', peelId: 'web-1' });
      return false;
    }
  });
}

describe('the fingerprint that an admin approves', () => {
  it('is that of the key that a pending peel has requested last', () => {
    expect(approvable('pending', { [one]: 'requested' })).toEqual([one]);
    expect(approvable('pending', { [one]: 'live', [two]: 'requested' })).toEqual([two]);
    expect(approvable('pending', { [one]: 'revoked', [two]: 'requested' })).toEqual([two]);
  });

  it('is that of a key in use if the peel was accepted meanwhile, and never that of a revoked key', () => {
    expect(approvable('accepted', { [one]: 'live', [two]: 'requested' })).toEqual([one, two]);
    expect(approvable('accepted', { [one]: 'revoked', [two]: 'issued' })).toEqual([two]);
    expect(approvable('active', { [one]: 'revoking', [two]: 'live' })).toEqual([two]);
    expect(approvable('revoked', { [one]: 'revoked' })).toEqual([]);
  });
});
