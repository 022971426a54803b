import { afterAll, describe, expect, it } from 'vitest';
import {
  createAccountJwt,
  createOperatorJwt,
  createUserJwt,
  generateKeyBundle,
  isRevoked,
  JwtChainError,
  JwtError,
  validateJwtChain,
  type AccountJwtOptions,
  type JwtChainErrorCode,
  type OperatorJwtOptions,
  type UserJwtOptions,
} from '../../src/index.js';
import { refusal } from '../support/refusal.js';
import { alter, forge, partsOf, reforge } from './forge.js';

const operator = generateKeyBundle('operator');
const operatorSigner = generateKeyBundle('operator');
const account = generateKeyBundle('account');
const accountSigner = generateKeyBundle('account');
const scopedSigner = generateKeyBundle('account');
const user = generateKeyBundle('user');
const stranger = {
  operator: generateKeyBundle('operator'),
  account: generateKeyBundle('account'),
  user: generateKeyBundle('user'),
};

const T = 1_700_000_000;
const at = (seconds: number) => () => (T + seconds) * 1000;
const now = at(0);
const issuerAccount = account.publicKey;

const operatorJwt = (options: Partial<OperatorJwtOptions> = {}) =>
  createOperatorJwt(operator, { name: 'O', now, signingKeys: [operatorSigner.publicKey], ...options });
const accountJwt = (options: Partial<AccountJwtOptions> = {}, signer = operator) =>
  createAccountJwt(account, signer, {
    name: 'A',
    now,
    signingKeys: [
      accountSigner.publicKey,
      {
        publicKey: scopedSigner.publicKey,
        role: 'peel',
        permissions: { publish: { allow: ['a.{{name()}}'] }, subscribe: { allow: ['>'] } },
      },
    ],
    ...options,
  });
const userJwt = (options: Partial<UserJwtOptions> = {}, signer = account) =>
  createUserJwt(user, signer, { name: 'U', now, ...options });
const scoped = (options: Partial<UserJwtOptions> = {}) =>
  userJwt({ issuerAccount, scoped: true, ...options }, scopedSigner);

const seen = new Set<JwtChainErrorCode>();

/** Checks that the chain breaks with this code, at the link that the code names. */
async function breaks(
  code: JwtChainErrorCode,
  o: string,
  a: string,
  u: string,
  clock = now,
): Promise<JwtChainError> {
  const error = (await refusal(code, () => validateJwtChain(o, a, u, { now: clock }))) as JwtChainError;
  expect(error).toBeInstanceOf(JwtChainError);
  expect(code).toContain(`_${error.link.toUpperCase()}_`);
  expect(error.message).toContain(`the chain breaks at the ${error.link}`);
  seen.add(code);
  return error;
}

/** Every code; the type ensures completeness. */
const CODES: Record<JwtChainErrorCode, true> = {
  ERR_CHAIN_OPERATOR_ISSUER: true,
  ERR_CHAIN_OPERATOR_EXPIRED: true,
  ERR_CHAIN_OPERATOR_NOT_YET_VALID: true,
  ERR_CHAIN_OPERATOR_INVALID: true,
  ERR_CHAIN_ACCOUNT_ISSUER: true,
  ERR_CHAIN_ACCOUNT_ISSUER_STRICT: true,
  ERR_CHAIN_ACCOUNT_EXPIRED: true,
  ERR_CHAIN_ACCOUNT_NOT_YET_VALID: true,
  ERR_CHAIN_ACCOUNT_INVALID: true,
  ERR_CHAIN_USER_ISSUER: true,
  ERR_CHAIN_USER_ISSUER_ACCOUNT: true,
  ERR_CHAIN_USER_ISSUER_STRICT: true,
  ERR_CHAIN_USER_SCOPED: true,
  ERR_CHAIN_USER_BEARER: true,
  ERR_CHAIN_USER_EXPIRED: true,
  ERR_CHAIN_USER_NOT_YET_VALID: true,
  ERR_CHAIN_USER_REVOKED: true,
  ERR_CHAIN_USER_INVALID: true,
};

describe('a chain holds', () => {
  it.each<[string, () => [string, string, string]]>([
    ['when each signed the next', () => [operatorJwt(), accountJwt(), userJwt()]],
    [
      "when the operator's signing key signed the account",
      () => [operatorJwt(), accountJwt({}, operatorSigner), userJwt()],
    ],
    [
      "when the account's signing key signed the user",
      () => [operatorJwt(), accountJwt(), userJwt({ issuerAccount }, accountSigner)],
    ],
    [
      'when the scoped signing key signed a user without permissions',
      () => [operatorJwt(), accountJwt(), scoped()],
    ],
    [
      'under strict signing keys, when signing keys signed the account and the user',
      () => [
        operatorJwt({ strictSigningKeyUsage: true }),
        accountJwt({}, operatorSigner),
        userJwt({ issuerAccount }, accountSigner),
      ],
    ],
    [
      'when the user is a bearer and the account allows it',
      () => [operatorJwt(), accountJwt(), userJwt({ bearer: true })],
    ],
    [
      'when the user was issued after the revocation of its key and of everyone',
      () => [operatorJwt(), accountJwt({ revocations: { [user.publicKey]: T - 1, '*': T - 1 } }), userJwt()],
    ],
    [
      'when another user is revoked',
      () => [operatorJwt(), accountJwt({ revocations: { [stranger.user.publicKey]: T + 1 } }), userJwt()],
    ],
    [
      'in the last second before the expiry, and in the first after not-before',
      () => [
        operatorJwt({ expiry: 1, notBefore: T }),
        accountJwt({ expiry: 1, notBefore: T }),
        userJwt({ expiry: 1, notBefore: T }),
      ],
    ],
    [
      'when an expiry of 0 stands for never',
      () => [operatorJwt(), accountJwt(), reforge(userJwt(), account, (claims) => void (claims['exp'] = 0))],
    ],
  ])('%s', (_, chain) => {
    const [o, a, u] = chain();
    expect(() => validateJwtChain(o, a, u, { now })).not.toThrow();
  });

  it('now, when no clock is given', async () => {
    const [o, a] = [
      createOperatorJwt(operator, { name: 'O' }),
      createAccountJwt(account, operator, { name: 'A' }),
    ];
    validateJwtChain(o, a, createUserJwt(user, account, { name: 'U', expiry: 3600 }));
    const old = createUserJwt(user, account, { name: 'U', expiry: 1, now });
    await refusal('ERR_CHAIN_USER_EXPIRED', () => validateJwtChain(o, a, old));
  });
});

describe('the chain breaks at the operator', () => {
  it('when another key signed it', async () => {
    const jwt = reforge(
      operatorJwt(),
      stranger.operator,
      (claims) => void (claims['iss'] = stranger.operator.publicKey),
    );
    await breaks('ERR_CHAIN_OPERATOR_ISSUER', jwt, accountJwt(), userJwt());
  });

  it('when it is expired, from the very second on', async () => {
    const o = operatorJwt({ expiry: 10 });
    validateJwtChain(o, accountJwt(), userJwt(), { now: at(9.999) });
    await breaks('ERR_CHAIN_OPERATOR_EXPIRED', o, accountJwt(), userJwt(), at(10));
  });

  it('when it is not yet valid', async () => {
    const o = operatorJwt({ notBefore: T + 10 });
    await breaks('ERR_CHAIN_OPERATOR_NOT_YET_VALID', o, accountJwt(), userJwt(), at(9.999));
    validateJwtChain(o, accountJwt(), userJwt(), { now: at(10) });
  });

  it('when it is no operator JWT, and the cause says why', async () => {
    const error = await breaks('ERR_CHAIN_OPERATOR_INVALID', accountJwt(), accountJwt(), userJwt());
    expect(error.cause).toBeInstanceOf(JwtError);
    expect(error.cause).toMatchObject({ code: 'ERR_JWT_TYPE' });
    await breaks('ERR_CHAIN_OPERATOR_INVALID', 'x', accountJwt(), userJwt());
  });
});

describe('the chain breaks at the account', () => {
  it('when another operator signed it', async () => {
    const a = createAccountJwt(account, stranger.operator, { name: 'A', now });
    await breaks('ERR_CHAIN_ACCOUNT_ISSUER', operatorJwt(), a, userJwt());
  });

  it('when it signed itself', async () => {
    const a = createAccountJwt(account, account, { name: 'A', now });
    await breaks('ERR_CHAIN_ACCOUNT_ISSUER', operatorJwt(), a, userJwt());
  });

  it('when a signing key signed it that the operator has no more', async () => {
    const a = accountJwt({}, operatorSigner);
    await breaks('ERR_CHAIN_ACCOUNT_ISSUER', operatorJwt({ signingKeys: [] }), a, userJwt());
  });

  it("when the operator's identity key signed it under strict signing keys", async () => {
    const o = operatorJwt({ strictSigningKeyUsage: true });
    await breaks('ERR_CHAIN_ACCOUNT_ISSUER_STRICT', o, accountJwt(), userJwt());
  });

  it('when it is expired', async () => {
    const a = accountJwt({ expiry: 10 });
    validateJwtChain(operatorJwt(), a, userJwt(), { now: at(9.999) });
    await breaks('ERR_CHAIN_ACCOUNT_EXPIRED', operatorJwt(), a, userJwt(), at(10));
  });

  it('when it is not yet valid', async () => {
    const a = accountJwt({ notBefore: T + 10 });
    await breaks('ERR_CHAIN_ACCOUNT_NOT_YET_VALID', operatorJwt(), a, userJwt(), at(9));
  });

  it('when it was altered, or is of version 1', async () => {
    const altered = alter(accountJwt(), (claims) => void (claims['name'] = 'other'));
    const error = await breaks('ERR_CHAIN_ACCOUNT_INVALID', operatorJwt(), altered, userJwt());
    expect(error.cause).toMatchObject({ code: 'ERR_JWT_SIGNATURE' });
    const v1 = forge(partsOf(accountJwt()).claims, operator, { typ: 'jwt', alg: 'ed25519' });
    const other = await breaks('ERR_CHAIN_ACCOUNT_INVALID', operatorJwt(), v1, userJwt());
    expect(other.cause).toMatchObject({ code: 'ERR_JWT_ALGORITHM' });
  });
});

describe('the chain breaks at the user', () => {
  it('when another account signed it', async () => {
    const u = createUserJwt(user, stranger.account, { name: 'U', now });
    await breaks('ERR_CHAIN_USER_ISSUER', operatorJwt(), accountJwt(), u);
  });

  it('when a key signed it that is no signing key of the account, though it names the account', async () => {
    const u = userJwt({ issuerAccount }, stranger.account);
    await breaks('ERR_CHAIN_USER_ISSUER', operatorJwt(), accountJwt(), u);
    const removed = userJwt({ issuerAccount }, accountSigner);
    await breaks('ERR_CHAIN_USER_ISSUER', operatorJwt(), accountJwt({ signingKeys: [] }), removed);
  });

  it('when a signing key signed it and it does not name the account', async () => {
    await breaks('ERR_CHAIN_USER_ISSUER', operatorJwt(), accountJwt(), userJwt({}, accountSigner));
  });

  it("when the account's identity key signed it under strict signing keys", async () => {
    const o = operatorJwt({ strictSigningKeyUsage: true });
    await breaks('ERR_CHAIN_USER_ISSUER_STRICT', o, accountJwt({}, operatorSigner), userJwt());
  });

  it('when it names another account', async () => {
    const other = stranger.account.publicKey;
    const u = userJwt({ issuerAccount: other }, accountSigner);
    await breaks('ERR_CHAIN_USER_ISSUER_ACCOUNT', operatorJwt(), accountJwt(), u);
    await breaks(
      'ERR_CHAIN_USER_ISSUER_ACCOUNT',
      operatorJwt(),
      accountJwt(),
      userJwt({ issuerAccount: other }),
    );
  });

  it.each<[string, Record<string, unknown>]>([
    ['permissions', { pub: { allow: ['>'] } }],
    ['a denial', { sub: { deny: ['x'] } }],
    ['responses', { resp: { max: 1, ttl: 1 } }],
    ['a limit', { subs: -1 }],
    ['a network', { src: ['10.0.0.0/8'] }],
    ['times', { times: [{ start: '08:00:00', end: '09:00:00' }] }],
    ['a time zone', { times_location: 'UTC' }],
    ['a connection type', { allowed_connection_types: ['STANDARD'] }],
    ['bearer', { bearer_token: true }],
  ])('when the scoped signing key signed it and it carries %s of its own', async (_, own) => {
    const u = reforge(scoped(), scopedSigner, ({ nats }) => void Object.assign(nats, own));
    await breaks('ERR_CHAIN_USER_SCOPED', operatorJwt(), accountJwt(), u);
  });

  it('when it is a bearer token, by itself or by its template, and the account allows none', async () => {
    const limits = { disallowBearer: true };
    await breaks('ERR_CHAIN_USER_BEARER', operatorJwt(), accountJwt({ limits }), userJwt({ bearer: true }));
    const signingKeys = [{ publicKey: scopedSigner.publicKey, role: 'x', bearer: true }];
    await breaks('ERR_CHAIN_USER_BEARER', operatorJwt(), accountJwt({ limits, signingKeys }), scoped());
  });

  it('when it is expired', async () => {
    const u = userJwt({ expiry: 10 });
    validateJwtChain(operatorJwt(), accountJwt(), u, { now: at(9.999) });
    await breaks('ERR_CHAIN_USER_EXPIRED', operatorJwt(), accountJwt(), u, at(10));
    await breaks('ERR_CHAIN_USER_EXPIRED', operatorJwt(), accountJwt(), u, at(1e9));
  });

  it('when it is not yet valid', async () => {
    const u = userJwt({ notBefore: T + 10 });
    await breaks('ERR_CHAIN_USER_NOT_YET_VALID', operatorJwt(), accountJwt(), u, at(9.999));
  });

  it('when a time in it is not a valid date', async () => {
    const u = reforge(userJwt(), account, (claims) => void (claims['nbf'] = 253_402_300_800));
    const error = await breaks('ERR_CHAIN_USER_INVALID', operatorJwt(), accountJwt(), u);
    expect(error.message).toContain('a time after the year 9999');
  });

  it.each<[string, Record<string, number>]>([
    ['its key, in the second it was issued', { [user.publicKey]: T }],
    ['its key, later', { [user.publicKey]: T + 100 }],
    ['everyone', { '*': T }],
    ['everyone, though its key was earlier', { '*': T, [user.publicKey]: T - 100 }],
    ['its key, though everyone was earlier', { '*': T - 100, [user.publicKey]: T }],
  ])('when the account revoked %s', async (_, revocations) => {
    await breaks('ERR_CHAIN_USER_REVOKED', operatorJwt(), accountJwt({ revocations }), userJwt());
    await breaks('ERR_CHAIN_USER_REVOKED', operatorJwt(), accountJwt({ revocations }), scoped());
  });

  it('when it was altered', async () => {
    const altered = alter(userJwt(), (claims) => void (claims['exp'] = 9_999_999_999));
    const error = await breaks('ERR_CHAIN_USER_INVALID', operatorJwt(), accountJwt(), altered);
    expect(error.cause).toMatchObject({ code: 'ERR_JWT_SIGNATURE' });
  });
});

describe('isRevoked', () => {
  it('covers JWTs issued at or before its time', () => {
    expect(isRevoked({ U1: 10 }, 'U1', 10)).toBe(true);
    expect(isRevoked({ U1: 10 }, 'U1', 11)).toBe(false);
    expect(isRevoked({ '*': 10 }, 'U1', 10)).toBe(true);
    expect(isRevoked({ U2: 10 }, 'U1', 10)).toBe(false);
    expect(isRevoked({}, 'U1', 0)).toBe(false);
  });
});

afterAll(() => {
  // the tests above are complete only if they covered every code
  expect([...seen].sort()).toEqual(Object.keys(CODES).sort());
});
