import { decode } from '@nats-io/jwt';
import { describe, expect, it } from 'vitest';
import { createAccountJwt } from '../../src/jwt/account.js';
import { decodeAccountJwt } from '../../src/jwt/decode.js';
import { signClaims } from '../../src/jwt/encode.js';
import { LATEST_SECONDS } from '../../src/jwt/latest-seconds.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { refusal } from '../support/refusal.js';
import { resignAccountJwt } from '../../src/jwt/resign.js';

const operator = generateKeyBundle('operator');
const signer = generateKeyBundle('operator');
const account = generateKeyBundle('account');
const user = generateKeyBundle('user').publicKey;

/** An account as a newer tool may have made it. */
function foreign(extra: object): string {
  const claims = {
    aud: 'NATS',
    ext: { of: 'another tool' },
    iat: 1_700_000_000,
    iss: operator.publicKey,
    name: 'fleet',
    nats: {
      limits: { conn: -1, tiered: { R3: { disk_storage: 5 } } },
      mappings: { a: [{ subject: 'b', weight: 100 }] },
      trace: { dest: 't' },
      type: 'account',
      version: 2,
      ...extra,
    },
    sub: account.publicKey,
  };
  return signClaims(JSON.stringify(claims), operator);
}

describe('a re-signed account JWT', () => {
  it('has the change, and everything else as it was, fields that Zester does not know too', () => {
    const old = foreign({});
    const before = decodeAccountJwt(old);
    const jwt = resignAccountJwt(old, signer, (claims) => ({
      ...claims,
      nats: { ...claims.nats, revocations: { [user]: 1_800_000_000 } },
    }));
    const after = decodeAccountJwt(jwt);
    expect(after.jti).toMatch(/^[A-Z2-7]{52}$/);
    expect(after.jti).not.toBe(before.jti);
    expect(after).toEqual({
      ...before,
      iat: after.iat,
      jti: after.jti,
      iss: signer.publicKey,
      nats: { ...before.nats, revocations: { [user]: 1_800_000_000 } },
    });
    expect(decode(jwt), '@nats-io/jwt reads it').toMatchObject({ ext: { of: 'another tool' }, aud: 'NATS' });
  });

  it('is issued now', () => {
    const jwt = resignAccountJwt(foreign({}), signer, (claims) => claims, { now: () => 1_900_000_000_500 });
    expect(decodeAccountJwt(jwt).iat).toBe(1_900_000_000);
  });

  it('is issued later than the one before it, in the same second and when the clock went back', () => {
    const now = () => 1_600_000_000_000;
    const first = resignAccountJwt(foreign({}), signer, (claims) => claims, { now });
    const second = resignAccountJwt(first, signer, (claims) => claims, { now });
    expect([first, second].map((jwt) => decodeAccountJwt(jwt).iat)).toEqual([1_700_000_001, 1_700_000_002]);
  });

  it('keeps a 64-bit number, and is rejected if that number would be rewritten', async () => {
    const limits = '{"conn":9223372036854775807,"subs":-1}';
    const jwt = signClaims(
      JSON.stringify({
        iat: 1,
        iss: operator.publicKey,
        nats: { limits: 0, type: 'account', version: 2 },
        sub: account.publicKey,
      }).replace('"limits":0', `"limits":${limits}`),
      operator,
    );
    const other = resignAccountJwt(jwt, signer, (claims) => ({ ...claims, name: 'other' }));
    expect(Buffer.from(other.split('.')[1] ?? '', 'base64url').toString()).toContain(limits);
    const error = await refusal('ERR_JWT_CLAIMS', () =>
      resignAccountJwt(jwt, signer, ({ nats, ...claims }) => ({
        ...claims,
        nats: { ...nats, limits: { ...nats.limits, subs: 5 } },
      })),
    );
    expect(error.message).toContain('"conn"');
  });

  it('keeps a revocation up to the latest time that servers know', () => {
    const at = (jwt: string) =>
      /"(U\w+)":(\d+)/.exec(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
    const jwt = foreign({ revocations: { [user]: LATEST_SECONDS } });
    expect(at(jwt)?.slice(1)).toEqual([user, '9223372036854775807']);
    const again = resignAccountJwt(jwt, signer, (claims) => claims);
    expect(at(again)?.slice(1)).toEqual([user, '9223372036854775807']);
    expect(decodeAccountJwt(again).nats.revocations).toEqual({ [user]: LATEST_SECONDS });
  });

  it('is rejected with a key that is not an operator’s, or if the old JWT was altered', async () => {
    const jwt = createAccountJwt(account, operator, { name: 'fleet' });
    await refusal('ERR_KEY_ROLE', () => resignAccountJwt(jwt, account, (claims) => claims));
    const altered = `${jwt.slice(0, -6)}AAAAAA`;
    await refusal('ERR_JWT_SIGNATURE', () => resignAccountJwt(altered, signer, (claims) => claims));
  });
});
