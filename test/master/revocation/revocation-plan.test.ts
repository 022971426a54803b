import { describe, expect, it } from 'vitest';
import {
  keysToPush,
  revokedBy,
  tokenRevocation,
  obsoleteRevocations,
} from '../../../src/master/revocation/revocation-plan.js';
import { applyEvent } from '../../../src/protocol/records/apply-event.js';
import type { PeelEvent } from '../../../src/protocol/records/audit-event.js';
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
  /** A peel that has replaced its key UA with another. */
  const rotated = (key: object) =>
    ({
      id: 'a',
      state: 'active',
      keys: [
        { publicKey: 'UA', ...key },
        { publicKey: 'UB', state: 'live', replaces: 'UA' },
      ],
    }) as unknown as PeelRecord;
  const record = (state: 'revoked' | 'revoking', expiresAt?: number) => rotated({ state, expiresAt });
  const seconds = NOW / 1000;
  const recoveryOutlives = 1_000_000;
  const obsolete = (
    revocations: Record<string, number>,
    recordOf: (publicKey: string) => PeelRecord | undefined,
    tokens: JoinToken[] = [],
  ) => [...obsoleteRevocations(revocations, { recordOf, tokens, recoveryOutlives, nowSeconds: seconds })];

  it.each([
    ['is removed some minutes after the last JWT of its key expired', record('revoked', seconds - 601), true],
    ['stays until then', record('revoked', seconds - 599), false],
    ['stays if the JWT never expires', record('revoked'), false],
    ['stays until every server has confirmed it', record('revoking', seconds - 601), false],
    ['stays if its key is unknown', undefined, false],
  ])('%s', (_what, known, removed) => {
    expect(obsolete({ UA: 1 }, () => known)).toEqual(removed ? ['UA'] : []);
  });

  it('of a removed join token is dropped once the token has expired', () => {
    const removed = {
      ...token,
      removedAt: '2030-01-01T11:10:00.000Z',
      revokedAt: '2030-01-01T11:10:01.000Z',
      expiresAt: '2030-01-01T11:49:00.000Z',
    };
    const upTo = Date.parse(removed.removedAt) / 1000;
    const useless = (revocations: Record<string, number>, of: JoinToken) =>
      obsolete(revocations, () => undefined, [of, { ...token, publicKey: 'UOPEN' }]);
    expect(useless({ UTOKEN: upTo, UOPEN: upTo, '*': 1 }, removed)).toEqual(['UTOKEN']);
    // it covers more than the removal asked for: somebody else revoked the key
    expect(useless({ UTOKEN: upTo + 2 }, removed)).toEqual([]);
    expect(useless({ UTOKEN: PERMANENT }, removed)).toEqual([]);
    const expired = { ...token, publicKey: 'UTOKEN', expiresAt: removed.expiresAt };
    expect(useless({ UTOKEN: upTo }, expired)).toEqual([]);
  });

  it('of a peel stays if somebody else revoked its key, too, or an expired join token had the same key', () => {
    const key = { state: 'revoked', expiresAt: seconds - 601, revokedUpTo: 100 };
    const useless = (upTo: number) => obsolete({ UA: upTo }, () => rotated(key)).includes('UA');
    expect([useless(100), useless(101), useless(PERMANENT)]).toEqual([true, false, false]);
    const valid = rotated({ ...key, expiresAt: seconds + 60 });
    const borrowed = {
      ...token,
      publicKey: 'UA',
      removedAt: '2030-01-01T11:10:00.000Z',
      revokedAt: '2030-01-01T11:10:01.000Z',
      expiresAt: '2030-01-01T11:49:00.000Z',
    };
    expect(obsolete({ UA: 100 }, () => valid, [borrowed])).toEqual([]);
  });

  describe('of a key that a decision locked out', () => {
    const lockedOut = (publicKey: string, expiresAt: number) =>
      ({
        id: publicKey,
        state: 'revoked',
        keys: [{ publicKey, state: 'revoked', expiresAt }],
      }) as unknown as PeelRecord;

    it.each([
      ['stays while a recovery credential of the key may be valid', seconds - 1_000_000, []],
      ['is removed some minutes after that', seconds - 1_000_601, ['UA']],
    ])('%s', (_what, expiresAt, removed) => {
      expect(obsolete({ UA: 1 }, () => lockedOut('UA', expiresAt))).toEqual(removed);
    });

    it('stays if an admin has given the peel another key', () => {
      const { keys } = lockedOut('UA', seconds - 601);
      const replaced = { id: 'a', state: 'active', keys: [...keys, { publicKey: 'UB', state: 'live' }] };
      expect(obsolete({ UA: 1 }, () => replaced as unknown as PeelRecord)).toEqual([]);
    });

    it('is removed if four keys of the same peel were locked out later', () => {
      const keys = Array.from({ length: 6 }, (_, i) => ({
        publicKey: `U${i}`,
        state: 'revoked',
        expiresAt: seconds - 601,
      }));
      const record = { id: 'a', state: 'revoked', keys } as unknown as PeelRecord;
      const revocations = Object.fromEntries(keys.map(({ publicKey }, i) => [publicKey, i]));
      expect(obsolete(revocations, () => record)).toEqual(['U0', 'U1']);
    });

    it('is removed before its peel, which is provisioned again every day, forgets the key', () => {
      let now = NOW;
      let record: PeelRecord | undefined;
      let revocations: Record<string, number> = {};
      const apply = (change: object) => {
        const event = { ...change, at: new Date(now).toISOString(), by: { kind: 'admin', name: 'a' } };
        record = applyEvent(record, {
          ...event,
          peelId: 'a',
          number: (record?.number ?? 0) + 1,
        } as PeelEvent);
      };
      for (let day = 0; day < 400; day++, now += 86_400_000) {
        const at = now / 1000;
        const key = { publicKey: `U${day}`, issuer: 'A', issuedAt: at, expiresAt: at + 3_600 };
        apply({ kind: 'key.issued', key });
        apply({ kind: 'peel.revoked', upTo: at });
        const dropped = obsoleteRevocations(revocations, {
          recordOf: (publicKey) =>
            record?.keys.some((one) => one.publicKey === publicKey) ? record : undefined,
          tokens: [],
          recoveryOutlives: 400 * 86_400,
          nowSeconds: at,
        });
        revocations = Object.fromEntries(Object.entries(revocations).filter(([one]) => !dropped.has(one)));
        revocations[key.publicKey] = at;
        apply({ kind: 'key.revoked', publicKeys: [key.publicKey] });
      }
      expect(Object.keys(revocations).length).toBeLessThanOrEqual(6);
    });

    it('is removed if a thousand keys were locked out later', () => {
      const revocations = Object.fromEntries(Array.from({ length: 1_002 }, (_, i) => [`U${i}`, i]));
      const recordOf = (publicKey: string) => lockedOut(publicKey, seconds - 601);
      expect(obsolete(revocations, recordOf)).toEqual(['U1', 'U0']);
    });
  });
});
