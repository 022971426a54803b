import { describe, expect, it } from 'vitest';
import { createAccountJwt, type ScopedSigningKey } from '../../../src/jwt/account.js';
import type { AccountClaims } from '../../../src/jwt/claims.js';
import { decodeAccountJwt } from '../../../src/jwt/decode.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { joinPermissionsTemplate } from '../../../src/permissions/roles.js';
import {
  isJoinIssuer,
  isPeelIssuer,
  joinSigningKey,
  kindOfSigningKey,
  peelSigningKey,
  withTemplatePermissions,
} from '../../../src/trust/keys/signing-keys.js';

const newKey = () => generateKeyBundle('account').publicKey;

function accountWith(...signingKeys: (string | ScopedSigningKey)[]): AccountClaims {
  const account = generateKeyBundle('account');
  const operator = generateKeyBundle('operator');
  return decodeAccountJwt(createAccountJwt(account, operator, { name: 'fleet', signingKeys }));
}

describe('the peels’ signing key', () => {
  const [peel, nextPeel, joinKey, unscoped, other] = [newKey(), newKey(), newKey(), newKey(), newKey()];
  const account = accountWith(
    peelSigningKey(peel),
    peelSigningKey(nextPeel),
    joinSigningKey(joinKey),
    unscoped,
    { publicKey: other, role: 'metrics' },
  );

  it('are the scoped signing keys with the role "peel", old and new', () => {
    expect(isPeelIssuer(account, peel)).toBe(true);
    expect(isPeelIssuer(account, nextPeel)).toBe(true);
  });

  it.each([
    ['the signing key of join tokens', joinKey],
    ['an unscoped signing key', unscoped],
    ['a signing key of another role', other],
    ['the identity of the account', account.sub],
    ['a key that the account does not know', newKey()],
  ])('is not %s', (_, key) => {
    expect(isPeelIssuer(account, key)).toBe(false);
    expect(isPeelIssuer(account, key, peel)).toBe(false);
  });

  it('is the home’s own key if the role of an adopted account has another name, and a key added later', () => {
    const [agent, nextAgent] = [newKey(), newKey()];
    const adopted = accountWith(
      { ...peelSigningKey(agent), role: 'agent' },
      { ...peelSigningKey(nextAgent), role: 'agent' },
      joinSigningKey(joinKey),
    );
    expect(isPeelIssuer(adopted, agent)).toBe(false);
    expect(isPeelIssuer(adopted, agent, agent)).toBe(true);
    expect(isPeelIssuer(adopted, nextAgent, agent)).toBe(true);
    expect(isPeelIssuer(adopted, joinKey, agent)).toBe(false);
  });

  it('is not another key without a role if the home’s own has none: nothing shows that they belong together', () => {
    const [own, unknown] = [newKey(), newKey()];
    const adopted = accountWith(
      { ...peelSigningKey(own), role: '' },
      { ...peelSigningKey(unknown), role: '' },
    );
    expect(isPeelIssuer(adopted, own, own)).toBe(true);
    expect(isPeelIssuer(adopted, unknown, own)).toBe(false);
  });

  it('is never a key of join tokens, even where a home took it for its own', () => {
    expect(isPeelIssuer(account, joinKey, joinKey)).toBe(false);
  });

  it('is distinguished from the join tokens’ signing key', () => {
    expect(isJoinIssuer(account, joinKey)).toBe(true);
    for (const key of [peel, unscoped, other, account.sub, newKey()])
      expect(isJoinIssuer(account, key)).toBe(false);
    expect([peel, joinKey, unscoped, other].map((key) => kindOfSigningKey(account, key, peel))).toEqual([
      'peel-signing',
      'join-signing',
      undefined,
      undefined,
    ]);
  });

  it('has its template edited, and the template of join tokens stays', () => {
    const edited = withTemplatePermissions('/home', account, peel, {
      publish: { allow: ['x.{{name()}}'] },
      subscribe: { deny: ['>'] },
    });
    const templates = new Map(
      (edited.nats.signing_keys ?? []).flatMap((key) =>
        typeof key === 'string' ? [] : [[key.key, key.template]],
      ),
    );
    expect(templates.get(peel)?.pub?.allow).toEqual(['x.{{name()}}']);
    expect(templates.get(nextPeel)?.pub?.allow).toEqual(['x.{{name()}}']);
    expect(templates.get(joinKey)?.pub?.allow).toEqual(joinPermissionsTemplate().publish?.allow);
    expect(templates.get(joinKey)).toMatchObject({ payload: 16_384, subs: 10 });
  });
});
