import { describe, expect, it } from 'vitest';
import {
  keysToPush,
  revokedBy,
  tokenRevocation,
  obsoleteRevocations,
} from '../../../src/master/revocation/revocation-plan.js';
import { PERMANENT } from '../../../src/jwt/revoke-up-to.js';
import type { JoinToken } from '../../../src/protocol/records/join-token.js';
import type { PeelRecord } from '../../../src/protocol/records/record.js';

const NOW = Date.parse('2030-01-01T12:00:00Z');
const token: JoinToken = {
  id: 't1',
  publicKey: 'UTOKEN',
  createdAt: '2030-01-01T11:00:00.000Z',
  expiresAt: '2030-01-02T00:00:00.000Z',
  createdBy: { kind: 'admin', name: 'zester-admin' },
  uses: 1,
  used: 0,
  usedBy: [],
};
const work = {
  peels: new Map([['UA', { peelId: 'a', upTo: 10 }]]),
  strangers: new Map([['US', 5]]),
  tokens: new Map([['UT', { upTo: 7 }]]),
};

describe('one push', () => {
  it('has every key, up to the latest time that is wanted', () => {
    const strangers = new Map([
      ['US', 5],
      ['UA', 20],
    ]);
    expect([...keysToPush({ ...work, strangers })]).toEqual([
      ['UA', 20],
      ['UT', 7],
      ['US', 5],
    ]);
  });

  it('is done when every server has confirmed and no revoked user is connected', () => {
    const outcome = { inForce: true, inForceWhereReached: true, left: new Set<string>() };
    expect(revokedBy(work, outcome)).toEqual({
      peels: ['UA'],
      strangers: ['US'],
      tokens: ['UT'],
      isComplete: true,
    });
  });

  it('leaves the keys that are still connected', () => {
    const outcome = { inForce: true, inForceWhereReached: true, left: new Set(['UA']) };
    expect(revokedBy(work, outcome)).toMatchObject({ peels: [], tokens: ['UT'], isComplete: false });
  });

  it('is done for strangers alone when the servers that did not confirm are down', () => {
    const down = { inForce: false, inForceWhereReached: true, left: new Set<string>() };
    expect(revokedBy(work, down)).toEqual({ peels: [], strangers: ['US'], tokens: [], isComplete: false });
    const refused = { ...down, inForceWhereReached: false };
    expect(revokedBy(work, refused)).toMatchObject({ strangers: [], isComplete: false });
  });
});

describe('a join token', () => {
  it.each([
    ['is not revoked before it is removed', {}, undefined],
    ['is revoked from its removal on', { removedAt: '2030-01-01T11:30:00.000Z' }, NOW / 1000],
    [
      'is revoked up to its issue, if that lies ahead',
      { removedAt: 'x', createdAt: '2030-01-01T13:00:00Z' },
      NOW / 1000 + 3600,
    ],
    ['is not revoked twice', { removedAt: 'x', revokedAt: 'x' }, undefined],
    ['is not revoked once it has expired', { removedAt: 'x', expiresAt: '2030-01-01T12:00:00Z' }, undefined],
  ])('%s', (_what, change, upTo) => {
    expect(tokenRevocation({ ...token, ...change }, NOW)).toBe(upTo);
  });
});

describe('a revocation', () => {
  const record = (state: 'revoked' | 'revoking', expiresAt?: number) =>
    ({ id: 'a', keys: [{ publicKey: 'UA', state, expiresAt }] }) as unknown as PeelRecord;
  const seconds = NOW / 1000;

  it.each([
    ['is removed some minutes after the last JWT of its key expired', record('revoked', seconds - 601), true],
    ['stays until then', record('revoked', seconds - 599), false],
    ['stays if the JWT never expires', record('revoked'), false],
    ['stays until every server has confirmed it', record('revoking', seconds - 601), false],
    ['stays if its key is unknown', undefined, false],
  ])('%s', (_what, known, removed) => {
    expect(obsoleteRevocations({ UA: 1 }, () => known, [], seconds).has('UA')).toBe(removed);
  });

  it('of a removed join token is dropped once the token has expired', () => {
    const removed = {
      ...token,
      removedAt: '2030-01-01T11:10:00.000Z',
      revokedAt: '2030-01-01T11:10:01.000Z',
      expiresAt: '2030-01-01T11:49:00.000Z',
    };
    const upTo = Date.parse(removed.removedAt) / 1000;
    const useless = (revocations: Record<string, number>, of: JoinToken) => [
      ...obsoleteRevocations(revocations, () => undefined, [of, { ...token, publicKey: 'UOPEN' }], seconds),
    ];
    expect(useless({ UTOKEN: upTo, UOPEN: upTo, '*': 1 }, removed)).toEqual(['UTOKEN']);
    // it covers more than the removal asked for: somebody else revoked the key
    expect(useless({ UTOKEN: upTo + 2 }, removed)).toEqual([]);
    expect(useless({ UTOKEN: PERMANENT }, removed)).toEqual([]);
    const expired = { ...token, publicKey: 'UTOKEN', expiresAt: removed.expiresAt };
    expect(useless({ UTOKEN: upTo }, expired)).toEqual([]);
  });

  it('of a peel stays if somebody else revoked its key, too, or an expired join token had the same key', () => {
    const key = { publicKey: 'UA', state: 'revoked', expiresAt: seconds - 601, revokedUpTo: 100 };
    const known = { id: 'a', keys: [key] } as unknown as PeelRecord;
    const useless = (upTo: number) => obsoleteRevocations({ UA: upTo }, () => known, [], seconds).has('UA');
    expect([useless(100), useless(101), useless(PERMANENT)]).toEqual([true, false, false]);
    const valid = { id: 'a', keys: [{ ...key, expiresAt: seconds + 60 }] } as unknown as PeelRecord;
    const borrowed = {
      ...token,
      publicKey: 'UA',
      removedAt: '2030-01-01T11:10:00.000Z',
      revokedAt: '2030-01-01T11:10:01.000Z',
      expiresAt: '2030-01-01T11:49:00.000Z',
    };
    expect(obsoleteRevocations({ UA: 100 }, () => valid, [borrowed], seconds).size).toBe(0);
  });
});
