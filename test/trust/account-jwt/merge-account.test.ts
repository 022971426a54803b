import { describe, expect, it } from 'vitest';
import type { AccountClaims } from '../../../src/jwt/claims.js';
import { decodeAccountJwt } from '../../../src/jwt/decode.js';
import { LATEST_SECONDS } from '../../../src/jwt/latest-seconds.js';
import {
  comesAfter,
  historyOf,
  withCleared,
  withHistory,
  withRemoved,
  withSequence,
} from '../../../src/trust/account-jwt/account-history.js';
import {
  isNone,
  describeLosses,
  mergeAccountClaims,
  mergedHistory,
} from '../../../src/trust/account-jwt/merge-account.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { createTestTrust } from '../../support/trust.js';

const trust = createTestTrust();
const first = decodeAccountJwt(trust.account.jwt);
const [U1, U2] = [generateKeyBundle('user').publicKey, generateKeyBundle('user').publicKey];
const peelKey = trust.peelSigner.publicKey;
const NOW = first.iat + 1_000;

let count = 0;
/** A decoded version of the account, with a unique ID. */
function version(claims: AccountClaims, iat: number, nats: Partial<AccountClaims['nats']>): AccountClaims {
  count += 1;
  const jti = String(count)
    .padStart(16, 'A')
    .replaceAll(/\d/g, (digit) => 'BCDEFGHIJK'[Number(digit)] ?? '');
  return { ...claims, iat, jti, nats: { ...claims.nats, ...nats } };
}

/** The merge of known versions by Zester. */
function signed(
  all: readonly AccountClaims[],
  iat: number,
  nats: Partial<AccountClaims['nats']>,
  removed: readonly string[] = [],
  clearedBefore?: number,
): AccountClaims {
  const [base = first] = all;
  const next = version(base, iat, nats);
  const history = mergedHistory(base, all);
  const noted = withRemoved(base, withHistory(next, history, NOW), removed, NOW);
  const whole = clearedBefore === undefined ? noted : withCleared(noted, clearedBefore, NOW);
  return withHistory(whole, withSequence(historyOf(whole), history.sequence), NOW);
}

/** A change of a version by another tool, which keeps the tags. */
function edited(of: AccountClaims, iat: number, nats: Partial<AccountClaims['nats']> = {}): AccountClaims {
  return version(of, iat, nats);
}

const keysOf = ({ nats }: AccountClaims) =>
  (nats.signing_keys ?? []).map((key) => (typeof key === 'string' ? key : key.key));

describe('one account of several versions', () => {
  it('is the newest, when that was made from the others', () => {
    const old = signed([first], NOW, { revocations: { [U1]: 1, [U2]: 2 } });
    const pruned = signed([old], NOW + 1, { revocations: { [U2]: 2 } });
    const { base, claims, restored } = mergeAccountClaims([old, pruned]);
    expect(base).toBe(pruned);
    expect(claims).toBe(pruned);
    expect(isNone(restored)).toBe(true);
  });

  it.each([
    ['another tool re-signed an older state', () => edited(first, NOW + 10, { signing_keys: [] })],
    [
      'another tool stripped of them',
      () =>
        edited(signed([first], NOW, { revocations: { [U1]: 5 } }), NOW + 10, {
          revocations: {},
          signing_keys: [],
        }),
    ],
    [
      'another tool stripped of its tags too',
      () => edited(first, NOW + 10, { revocations: {}, signing_keys: [], tags: [] }),
    ],
  ])('has the revocations and signing keys that one lost which %s', (_what, make) => {
    const home = signed([first], NOW + 1, { revocations: { [U1]: 5 } });
    for (const all of [
      [home, make()],
      [make(), home],
    ]) {
      const { claims, restored } = mergeAccountClaims(all);
      expect(claims.nats.revocations).toEqual({ [U1]: 5 });
      expect(keysOf(claims)).toContain(peelKey);
      expect(restored.revocations).toEqual([U1]);
      expect(restored.signingKeys).toContain(peelKey);
    }
  });

  it('keeps the other tool’s unrelated changes', () => {
    const home = signed([first], NOW, { revocations: { [U1]: 5 } });
    const { claims } = mergeAccountClaims([home, edited(first, NOW + 10, { limits: { conn: 7 } })]);
    expect(claims.nats.limits).toEqual({ conn: 7 });
    expect(claims.nats.revocations).toEqual({ [U1]: 5 });
  });

  it('has the later of two revocations of one key', () => {
    const home = signed([first], NOW, { revocations: { [U1]: 9, [U2]: 1 } });
    const other = edited(first, NOW + 10, { revocations: { [U1]: 3, [U2]: 4 } });
    expect(mergeAccountClaims([home, other]).claims.nats.revocations).toEqual({ [U1]: 9, [U2]: 4 });
  });

  it('has both revocations of two versions that were signed at once', () => {
    const one = signed([first], NOW, { revocations: { [U1]: 1 } });
    const two = signed([first], NOW, { revocations: { [U2]: 2 } });
    expect(mergeAccountClaims([one, two]).claims.nats.revocations).toEqual({ [U1]: 1, [U2]: 2 });
  });

  it('does not restore a removed signing key from an old copy or from another tool', () => {
    const removed = signed([first], NOW, { signing_keys: [] }, [peelKey]);
    expect(mergeAccountClaims([first, removed]).claims).toBe(removed);
    const { claims, restored } = mergeAccountClaims([removed, edited(first, NOW + 10)]);
    expect(keysOf(claims)).not.toContain(peelKey);
    expect(restored.returned).toEqual([peelKey]);
    // a copy of the home that was changed offline, without knowing about it
    const copy = signed([first], NOW + 5, { revocations: { [U1]: 1 } });
    const merged = mergeAccountClaims([copy, removed]).claims;
    expect(keysOf(merged)).not.toContain(peelKey);
    expect(merged.nats.revocations).toEqual({ [U1]: 1 });
  });

  it('has a signing key that was removed and added again by Zester', () => {
    const removed = signed([first], NOW, { signing_keys: [] }, [peelKey]);
    const again = signed([removed], NOW + 1, { signing_keys: first.nats.signing_keys ?? [] });
    expect(historyOf(again).removed.has(peelKey)).toBe(false);
    expect(mergeAccountClaims([removed, again]).claims).toBe(again);
  });

  it('does not bring back a revocation that was cleared, unless it was made again since', () => {
    const revoked = signed([first], NOW - 10, { revocations: { [U1]: 5 } });
    const cleared = signed([revoked], NOW + 1, { revocations: {} }, [U1]);
    const copy = { ...edited(revoked, NOW - 5), nats: { ...revoked.nats } };
    expect(mergeAccountClaims([copy, cleared]).claims).toBe(cleared);
    const again = edited(revoked, NOW + 5, { revocations: { [U1]: NOW + 4 } });
    expect(mergeAccountClaims([cleared, again]).claims.nats.revocations).toEqual({ [U1]: NOW + 4 });
  });

  describe('when another tool pushes a state from before a revocation was cleared', () => {
    const GOOD = 253_402_300_799;
    const revoked = signed([first], NOW - 10, { revocations: { [U1]: NOW - 10, [U2]: GOOD, '*': 5 } });
    const cleared = signed([revoked], NOW, { revocations: {} }, [U1, U2, '*']);

    it('does not have the revocation, in any order, and reports that', () => {
      const stale = edited(revoked, NOW + 10);
      for (const all of [
        [stale, cleared],
        [cleared, stale],
        [revoked, stale, cleared],
      ]) {
        const { claims, restored } = mergeAccountClaims(all);
        expect(claims.nats.revocations).toEqual({});
        expect(restored.returned.sort()).toEqual([U1, U2, '*'].sort());
        expect(describeLosses(restored).join()).toContain('clearing of the revocation of');
      }
      const next = signed([stale, cleared], NOW + 11, { revocations: {} });
      expect(mergeAccountClaims([next, stale, cleared, revoked]).claims).toBe(next);
    });

    it('has one that the other tool made since, and one that Zester made again', () => {
      const anew = edited(revoked, NOW + 10, { revocations: { [U1]: NOW + 9 } });
      expect(mergeAccountClaims([cleared, anew]).claims.nats.revocations).toEqual({ [U1]: NOW + 9 });
      const again = signed([cleared], NOW + 5, { revocations: { [U2]: GOOD } });
      const sibling = edited(cleared, NOW + 10, { limits: { conn: 7 } });
      expect(mergeAccountClaims([again, sibling]).claims.nats.revocations).toEqual({ [U2]: GOOD });
      expect(mergeAccountClaims([again, edited(again, NOW + 20)]).claims.nats.revocations).toEqual({
        [U2]: GOOD,
      });
    });

    it('does not have one that held for every date', () => {
      const ever = signed([first], NOW - 10, { revocations: { [U1]: LATEST_SECONDS } });
      const gone = signed([ever], NOW, { revocations: {} }, [U1]);
      expect(mergeAccountClaims([gone, edited(ever, NOW + 10)]).claims.nats.revocations).toEqual({});
    });

    it('has one that was made for a home only', () => {
      const home = signed([first], NOW + 5, { revocations: { [U2]: GOOD } });
      const unpushed = withHistory(home, { ...historyOf(home), unpushed: true }, NOW);
      expect(mergeAccountClaims([unpushed, cleared]).claims.nats.revocations).toEqual({ [U2]: GOOD });
    });

    it('has none that a bulk clearance covers, and every later one', () => {
      const before = signed([first], NOW - 5, { revocations: { [U1]: 100, [U2]: NOW - 3 } });
      const bulk = signed([before], NOW, { revocations: { [U2]: NOW - 3 } }, [], NOW - 50);
      const stale = edited(before, NOW + 10);
      const { claims, restored } = mergeAccountClaims([bulk, stale]);
      expect(claims.nats.revocations).toEqual({ [U2]: NOW - 3 });
      expect(restored.returned).toEqual([U1]);
      // revoked up to an old time, knowing of the clearing
      const past = signed([bulk], NOW + 1, { revocations: { '*': 50 } });
      expect(mergeAccountClaims([past, edited(bulk, NOW + 20)]).claims.nats.revocations).toMatchObject({
        '*': 50,
      });
    });
  });

  it('has the permissions of the signing keys that a stale version had changed back', () => {
    const [key] = first.nats.signing_keys ?? [];
    if (typeof key !== 'object') throw new Error('a scoped key');
    const narrowed = { ...key, template: { pub: { allow: ['only.this'] } } };
    const home = signed([first], NOW, { signing_keys: [narrowed] });
    const { claims, restored } = mergeAccountClaims([home, edited(first, NOW + 10)]);
    expect(claims.nats.signing_keys).toEqual([narrowed]);
    expect(restored.templates).toEqual([peelKey]);
    // an edit of the home's current version is intended
    const fresh = edited(home, NOW + 20, { signing_keys: [key] });
    expect(mergeAccountClaims([home, fresh]).claims).toBe(fresh);
  });

  it('has the template of a scoped signing key that is a plain one now, whose users would be allowed everything', () => {
    const home = signed([first], NOW, {});
    const plain = edited(home, NOW + 10, { signing_keys: [peelKey] });
    const { claims, restored } = mergeAccountClaims([home, plain]);
    expect(claims.nats.signing_keys).toEqual(first.nats.signing_keys);
    expect(restored.templates).toEqual([peelKey]);
  });

  it('knows a version that is far behind by its number, unless that was never pushed', () => {
    const old = signed([first], NOW, { revocations: { [U1]: 1 } });
    const unpushed = withHistory(old, { ...historyOf(old), unpushed: true }, NOW);
    let newest = signed([first], NOW + 1, {});
    for (let i = 0; i < 60; i += 1) newest = signed([newest], NOW + 2 + i, { revocations: { [U2]: i } });
    expect(historyOf(newest).after).toHaveLength(48);
    expect(comesAfter(newest, old)).toBe(true);
    expect(comesAfter(newest, unpushed)).toBe(false);
    expect(mergeAccountClaims([unpushed, newest]).restored.revocations).toEqual([U1]);
  });
});

describe('the history of an account', () => {
  it('is read from tags in any case, and ignores other tags', () => {
    const tags = [
      'prod',
      'ZESTER-HISTORY:7:ABCDEFGHIJKLMNOP,short',
      `zester-removed:${peelKey.toLowerCase()}:12`,
    ];
    const { sequence, after, removed } = historyOf(
      version(first, NOW, { tags: [...tags, 'zester-removed:x:y'] }),
    );
    expect({ sequence, after, removed: [...removed] }).toEqual({
      sequence: 7,
      after: ['ABCDEFGHIJKLMNOP'],
      removed: [[peelKey, { at: 12 }]],
    });
  });

  it('is bounded, forgets old removals, and keeps other tags', () => {
    const many = Array.from({ length: 200 }, () => generateKeyBundle('user').publicKey);
    const joinKey = generateKeyBundle('account').publicKey;
    const removed = new Map([
      ...many.map((key, i): [string, { at: number }] => [key, { at: NOW - i }]),
      [peelKey, { at: NOW - 500 * 86_400 }],
      [joinKey, { at: NOW - 300 * 86_400 }],
    ]);
    const tagged = version(first, NOW, { tags: ['prod'], signing_keys: [] });
    const claims = withHistory(
      tagged,
      { sequence: 1, after: [], unpushed: false, removed, cleared: undefined },
      NOW,
    );
    expect(claims.nats.tags?.[0]).toBe('prod');
    expect(historyOf(claims).removed.size).toBe(65);
    expect(historyOf(claims).removed.has(peelKey)).toBe(false);
    // regardless of how many revocations have been cleared since
    expect(historyOf(claims).removed.has(joinKey)).toBe(true);
  });
});
