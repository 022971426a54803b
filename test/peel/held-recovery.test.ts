import { expect, it } from 'vitest';
import { decodeUserJwt } from '../../src/jwt/decode.js';
import { signClaims } from '../../src/jwt/encode.js';
import { MAX_CLAIM_SECONDS } from '../../src/jwt/time.js';
import { createUserJwtForPublicKey } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { recoveryUserJwtOptions } from '../../src/permissions/recovery.js';
import { heldRecovery } from '../../src/peel/held-recovery.js';

const signer = generateKeyBundle('account');
const account = generateKeyBundle('account').publicKey;
const { publicKey } = generateKeyBundle('user');
const issue = (expiry?: number) =>
  createUserJwtForPublicKey(
    publicKey,
    signer,
    recoveryUserJwtOptions('web-1', account, {
      count: 3,
      now: () => 5_000_000,
      ...(expiry !== undefined && { expiry }),
    }),
  );

it('names the signer, times and count of a recovery credential', () => {
  expect(heldRecovery(issue(600))).toEqual({
    issuer: signer.publicKey,
    issuedAt: 5_000,
    expiresAt: 5_600,
    count: 3,
  });
});

it('is none for one with times that a master would refuse, so that the peel renews', () => {
  const { jti: _jti, ...claims } = decodeUserJwt(issue(600));
  const signed = (exp: number) => signClaims(JSON.stringify({ ...claims, exp }), signer);
  expect(heldRecovery(signed(MAX_CLAIM_SECONDS))).toMatchObject({ expiresAt: MAX_CLAIM_SECONDS });
  expect(heldRecovery(signed(MAX_CLAIM_SECONDS + 1))).toBeUndefined();
});

it('is none for one that does not expire, is damaged, or is missing', () => {
  const jwt = issue(600);
  expect(heldRecovery(issue())).toBeUndefined();
  expect(heldRecovery(`${jwt.slice(0, -4)}AAAA`)).toBeUndefined();
  expect(heldRecovery('none')).toBeUndefined();
  expect(heldRecovery(undefined)).toBeUndefined();
});
