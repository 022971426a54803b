import { describe, expect, it } from 'vitest';
import { checkToken, countUses, removedToken, withoutUse } from '../../../src/master/registry/token-rules.js';
import type { TokenUser } from '../../../src/master/registry/token-users.js';
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

  const many = Array.from({ length: 300 }, (_, i) => user(`peel-${i}`));
  const forMany = { ...token, uses: 1_000 };

  it('name the last 16 peels, and are not counted again for the last 200', () => {
    const { token: after = token } = countUses(forMany, 't1', many, NOW);
    expect(after.used).toBe(300);
    expect(after.usedBy).toEqual(many.slice(-16));
    expect(countUses(after, 't1', many.slice(-200), NOW).counted).toEqual([]);
    expect(countUses(after, 't1', many.slice(0, 100), NOW).counted).toHaveLength(100);
  });

  it('keep the record small', () => {
    const { token: after = token } = countUses(forMany, 't1', many, NOW);
    expect(JSON.stringify(after.usedBefore)).toHaveLength(184 * 16 + 2);
  });

  it('are known from the list of an earlier version', () => {
    const earlier = { ...forMany, used: 200, usedBy: many.slice(0, 200) };
    const { token: after = token } = countUses(earlier, 't1', [user('next')], NOW);
    expect(after).toMatchObject({ used: 201, usedBy: [...many.slice(185, 200), user('next')] });
    expect(countUses(after, 't1', many.slice(1, 200), NOW).counted).toEqual([]);
  });

  it.each([299, 150])('are returned once, also if others came after (%i)', (i) => {
    const { token: after = token } = countUses(forMany, 't1', many, NOW);
    const one = many[i] ?? user('none');
    const returned = withoutUse(after, one);
    expect(returned?.used).toBe(299);
    expect(withoutUse(returned, one)).toBeUndefined();
    const rest = many.slice(-200).filter((other) => other !== one);
    expect(countUses(returned, 't1', rest, NOW).counted).toEqual([]);
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
