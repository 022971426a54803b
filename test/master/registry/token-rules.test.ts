import { describe, expect, it } from 'vitest';
import {
  checkToken,
  countUses,
  removedToken,
  withoutUse,
  type TokenUser,
} from '../../../src/master/registry/token-rules.js';
import type { ZesterError } from '../../../src/errors.js';
import type { JoinToken } from '../../../src/protocol/records/join-token.js';

const NOW = Date.parse('2030-01-01T12:00:00Z');
const token: JoinToken = {
  id: 't1',
  publicKey: 'UTOKEN',
  createdAt: '2030-01-01T00:00:00.000Z',
  expiresAt: '2030-01-02T00:00:00.000Z',
  createdBy: { kind: 'admin', name: 'zester-admin' },
  uses: 2,
  used: 0,
  usedBy: [],
};
const user = (peelId: string, publicKey = `U${peelId}`): TokenUser => ({ peelId, publicKey });

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as ZesterError).code;
  }
}

describe('a join token', () => {
  it.each<[string, string, Partial<JoinToken> | undefined, string]>([
    ['that is unknown', 'ERR_FLEET_TOKEN_UNKNOWN', undefined, 'web-1'],
    ['that was removed', 'ERR_FLEET_TOKEN_UNKNOWN', { removedAt: '2030-01-01T01:00:00.000Z' }, 'web-1'],
    ['from its expiry on', 'ERR_FLEET_TOKEN_EXPIRED', { expiresAt: new Date(NOW).toISOString() }, 'web-1'],
    ['for other IDs', 'ERR_FLEET_TOKEN_ID', { ids: 'db-*' }, 'web-1'],
    ['for a reserved name', 'ERR_FLEET_TOKEN_ID', {}, 'zester-master'],
  ])('is refused %s', (_when, code, change, peelId) => {
    const stored = change === undefined ? undefined : { ...token, ...change };
    expect(codeOf(() => checkToken(stored, 't1', peelId, NOW))).toBe(code);
  });

  it('is accepted for the IDs that it is for', () => {
    const forWeb = { ...token, ids: 'web-*' };
    expect(checkToken(forWeb, 't1', 'web-1', NOW)).toBe(forWeb);
  });
});

describe('uses of a join token', () => {
  it('are counted together, and refused once it is used up', () => {
    const {
      token: after,
      counted,
      refused,
    } = countUses(
      token,
      't1',
      ['a', 'b', 'c'].map((id) => user(id)),
      NOW,
    );
    expect(after).toMatchObject({ used: 2, usedBy: [user('a'), user('b')] });
    expect(counted.map(({ use, used }) => [use.peelId, used])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect(refused).toMatchObject([{ use: user('c'), error: { code: 'ERR_FLEET_TOKEN_USED_UP' } }]);
  });

  it('count once for the same peel with the same key, also when the token is used up', () => {
    const usedUp = { ...token, used: 2, usedBy: [user('a'), user('b')] };
    expect(countUses(usedUp, 't1', [user('a')], NOW)).toEqual({ token: undefined, counted: [], refused: [] });
    const [other] = countUses(usedUp, 't1', [user('a', 'UOTHER')], NOW).refused;
    expect(other).toMatchObject({ error: { code: 'ERR_FLEET_TOKEN_USED_UP' } });
  });

  it('name the last 200 peels only', () => {
    const many = Array.from({ length: 300 }, (_, i) => user(`peel-${i}`));
    const { token: after } = countUses({ ...token, uses: 1_000 }, 't1', many, NOW);
    expect(after?.used).toBe(300);
    expect(after?.usedBy).toEqual(many.slice(-200));
  });

  it('are returned once', () => {
    const used = { ...token, used: 1, usedBy: [user('a')] };
    expect(withoutUse(used, user('a'))).toEqual(token);
    expect(withoutUse(token, user('a'))).toBeUndefined();
    expect(withoutUse(undefined, user('a'))).toBeUndefined();
  });
});

describe('the removal of a join token', () => {
  it('notes its time, and does nothing the second time', () => {
    const removed = removedToken(token, NOW);
    expect(removed).toEqual({ ...token, removedAt: '2030-01-01T12:00:00.000Z' });
    expect(removedToken(removed, NOW + 1)).toBeUndefined();
  });
});
