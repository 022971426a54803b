import { describe, expect, it } from 'vitest';
import { RetiredKeys, revokedInAccount, revokingOf } from '../../../src/master/watch/key-retirement.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import type { PeelKeyState, PeelRecord } from '../../../src/protocol/records/record.js';
import { RETIRE_MS } from '../../../src/timing.js';

const [OLD = '', NEW = ''] = [generateKeyBundle('user').publicKey, generateKeyBundle('user').publicKey];

function record(keys: Record<string, PeelKeyState>, issuedAt?: number): PeelRecord {
  return {
    id: 'web-1',
    state: 'active',
    keys: Object.entries(keys).map(([publicKey, state]) => ({ publicKey, state, issuedAt })),
    number: 1,
    createdAt: '',
    updatedAt: '',
  };
}

describe('a key that was replaced', () => {
  const gone = () => false;
  const connected = () => true;

  it('is revoked as soon as its connections have ended', () => {
    const keys = new RetiredKeys();
    keys.note(record({ [OLD]: 'retired', [NEW]: 'live' }), 0);
    expect(keys.due(1, connected)).toEqual([]);
    expect(keys.due(1, gone)).toEqual([{ publicKey: OLD, peelId: 'web-1', since: 0 }]);
  });

  it('is revoked while it is connected, once it has had its time to drain', () => {
    const keys = new RetiredKeys();
    keys.note(record({ [OLD]: 'retired' }), 0);
    keys.note(record({ [OLD]: 'retired' }), RETIRE_MS - 1);
    expect(keys.due(RETIRE_MS - 1, connected)).toEqual([]);
    expect(keys.due(RETIRE_MS, connected)).toHaveLength(1);
  });

  it.each<PeelKeyState>(['live', 'issued', 'revoking', 'revoked'])('is forgotten once it is %s', (state) => {
    const keys = new RetiredKeys();
    keys.note(record({ [OLD]: 'retired' }), 0);
    keys.note(record({ [OLD]: state }), 1);
    expect(keys.due(RETIRE_MS, gone)).toEqual([]);
  });

  it('is retried if its revocation could not be written', () => {
    const keys = new RetiredKeys();
    keys.note(record({ [OLD]: 'retired' }), 0);
    const [key = { publicKey: '', peelId: '', since: 0 }] = keys.due(0, gone);
    keys.remove(key);
    expect(keys.due(RETIRE_MS, gone)).toEqual([]);
    keys.add(key);
    expect(keys.due(RETIRE_MS, connected)).toEqual([key]);
  });
});

describe('the revocation of a key', () => {
  it('is decided on the current record', () => {
    const asked = { publicKey: OLD, state: 'retired', upTo: 7 } as const;
    const change = { kind: 'key.revoking', publicKeys: [OLD], upTo: 7 };
    expect(revokingOf(record({ [OLD]: 'retired' }), asked)).toEqual(change);
    expect(revokingOf(record({ [OLD]: 'live' }), asked)).toBeUndefined();
    expect(revokingOf(record({ [NEW]: 'retired' }), asked)).toBeUndefined();
    expect(revokingOf(undefined, asked)).toBeUndefined();
  });
});

describe('a revocation in the account JWT', () => {
  it('revokes one key of several', () => {
    const change = { kind: 'key.revoking', publicKeys: [OLD], upTo: 60 };
    expect(revokedInAccount(record({ [OLD]: 'live', [NEW]: 'issued' }, 50), { [OLD]: 60 })).toEqual(change);
  });

  it('revokes the peel with its last key, up to the later of both times', () => {
    const revocations = { [OLD]: 60, '*': 70 };
    expect(revokedInAccount(record({ [OLD]: 'live' }, 50), revocations)).toEqual({
      kind: 'peel.revoked',
      upTo: 70,
    });
    const others = record({ [OLD]: 'live', [NEW]: 'revoking' }, 50);
    expect(revokedInAccount(others, { [OLD]: 60 })).toMatchObject({ kind: 'peel.revoked' });
  });

  it.each<[string, PeelRecord, Record<string, number>]>([
    ['there is none', record({ [OLD]: 'live' }, 50), {}],
    ['the JWT was issued later', record({ [OLD]: 'live' }, 61), { [OLD]: 60 }],
    ['no JWT was issued', record({ [OLD]: 'issued' }), { [OLD]: 60 }],
    ['it is being revoked already', record({ [OLD]: 'revoking' }, 50), { [OLD]: 60 }],
  ])('changes nothing where %s', (_why, before, revocations) => {
    expect(revokedInAccount(before, revocations)).toBeUndefined();
  });
});
