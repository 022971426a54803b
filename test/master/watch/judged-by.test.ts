import { expect, it } from 'vitest';
import type { AccountClaims } from '../../../src/jwt/claims.js';
import { judgedBy } from '../../../src/master/watch/judged-by.js';

const account = (signingKeys: AccountClaims['nats']['signing_keys'], more: Partial<AccountClaims> = {}) =>
  ({
    iss: 'O',
    sub: 'A',
    iat: 1,
    nats: { signing_keys: signingKeys, revocations: {} },
    ...more,
  }) as AccountClaims;
const scoped = (key: string, role: string) => ({ kind: 'user_scope' as const, key, role, template: {} });
const before = {
  operatorJwt: 'operator',
  account: account(['A1', scoped('A2', 'peel')]),
  peelSigningKey: 'A2',
};

it.each([
  ['the operator JWT', { operatorJwt: 'another operator' }],
  ["the account's issuer", { account: account(['A1', scoped('A2', 'peel')], { iss: 'O2' }) }],
  ['the account', { account: account(['A1', scoped('A2', 'peel')], { sub: 'A9' }) }],
  ['a removed signing key', { account: account([scoped('A2', 'peel')]) }],
  ['an added signing key', { account: account(['A1', scoped('A2', 'peel'), 'A3']) }],
  ['the role of a signing key', { account: account(['A1', scoped('A2', 'join')]) }],
  ['the key that signs peels', { peelSigningKey: 'A1' }],
])('the keys that connections are judged by have another name after a change of %s', (_name, change) => {
  expect(judgedBy({ ...before, ...change })).not.toBe(judgedBy(before));
});

it('they keep their name while only revocations are added to the account JWT', () => {
  const revoked = account(['A1', scoped('A2', 'peel')], { iat: 2 });
  revoked.nats.revocations = { U1: 1 };
  expect(judgedBy({ ...before, account: revoked })).toBe(judgedBy(before));
});
