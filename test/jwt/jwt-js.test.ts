import * as jwtJs from '@nats-io/jwt';
import { describe, expect, it } from 'vitest';
import {
  createAccountJwt,
  createOperatorJwt,
  createUserJwt,
  decodeAccountJwt,
  decodeOperatorJwt,
  decodeUserJwt,
  generateKeyBundle,
  peelPermissions,
  validateJwtChain,
} from '../../src/index.js';
import { refusal } from '../support/refusal.js';

const operator = generateKeyBundle('operator');
const account = generateKeyBundle('account');
const signer = generateKeyBundle('account');
const user = generateKeyBundle('user');

describe('@nats-io/jwt decodes and verifies ours', () => {
  it('an operator JWT', () => {
    const jwt = createOperatorJwt(operator, {
      name: 'Acme',
      signingKeys: [generateKeyBundle('operator').publicKey],
      systemAccount: account.publicKey,
      strictSigningKeyUsage: true,
      expiry: 60,
    });
    expect(jwtJs.decode<jwtJs.Operator>(jwt)).toEqual(decodeOperatorJwt(jwt));
  });

  it('an account JWT', () => {
    const jwt = createAccountJwt(account, operator, {
      name: 'fleet',
      jetStream: true,
      limits: { connections: 10 },
      signingKeys: [signer.publicKey, { publicKey: generateKeyBundle('account').publicKey, role: 'peel' }],
      revocations: { '*': 5 },
    });
    expect(jwtJs.decode<jwtJs.Account>(jwt)).toEqual(decodeAccountJwt(jwt));
  });

  it('a user JWT', () => {
    const jwt = createUserJwt(user, account, { name: 'web-01', permissions: peelPermissions('web-01') });
    expect(jwtJs.decode<jwtJs.User>(jwt)).toEqual(decodeUserJwt(jwt));
  });
});

describe('theirs decode here', () => {
  const theirs = {
    operator: jwtJs.createOperator(),
    account: jwtJs.createAccount(),
    signer: jwtJs.createAccount(),
    scoped: jwtJs.createAccount(),
    user: jwtJs.createUser(),
  };

  it('and make a chain: operator, account, user', async () => {
    const operatorJwt = await jwtJs.encodeOperator('Acme', theirs.operator, { tags: ['t'] });
    const accountJwt = await jwtJs.encodeAccount(
      'fleet',
      theirs.account,
      {
        signing_keys: [theirs.signer.getPublicKey(), jwtJs.newScopedSigner(theirs.scoped, 'peel', {})],
        limits: { conn: 5, disallow_bearer: true },
      } as unknown as Partial<jwtJs.Account>,
      { signer: theirs.operator },
    );
    const userJwt = await jwtJs.encodeUser('web-01', theirs.user, theirs.account, {
      pub: { allow: ['a'], deny: [] },
    });
    expect(decodeOperatorJwt(operatorJwt)).toEqual(jwtJs.decode(operatorJwt));
    expect(decodeAccountJwt(accountJwt)).toEqual(jwtJs.decode(accountJwt));
    expect(decodeUserJwt(userJwt)).toEqual(jwtJs.decode(userJwt));
    validateJwtChain(operatorJwt, accountJwt, userJwt);

    const bySigner = await jwtJs.encodeUser('x', theirs.user, theirs.account, {}, { signer: theirs.signer });
    validateJwtChain(operatorJwt, accountJwt, bySigner);
    const scoped = await jwtJs.encodeUser(
      'x',
      theirs.user,
      theirs.account,
      {},
      {
        signer: theirs.scoped,
        scopedUser: true,
      },
    );
    validateJwtChain(operatorJwt, accountJwt, scoped);
    const notScoped = await jwtJs.encodeUser('x', theirs.user, theirs.account, {}, { signer: theirs.scoped });
    await refusal('ERR_CHAIN_USER_SCOPED', () => validateJwtChain(operatorJwt, accountJwt, notScoped));
    const bearer = await jwtJs.encodeUser('x', theirs.user, theirs.account, { bearer_token: true });
    await refusal('ERR_CHAIN_USER_BEARER', () => validateJwtChain(operatorJwt, accountJwt, bearer));
  });

  it('but a version 1 token is refused', async () => {
    const v1 = await jwtJs.encodeUser(
      'x',
      theirs.user,
      theirs.account,
      {},
      { algorithm: jwtJs.Algorithms.v1 },
    );
    expect(jwtJs.decode(v1)).toMatchObject({ name: 'x' });
    await refusal('ERR_JWT_ALGORITHM', () => decodeUserJwt(v1));
  });

  it('but one of another type is refused', async () => {
    const activation = await jwtJs.encodeActivation('x', theirs.account, theirs.account, 'stream', {
      subject: 'a',
    });
    await refusal('ERR_JWT_TYPE', () => decodeUserJwt(activation));
    const generic = await jwtJs.encodeGeneric('x', theirs.account, 'other', {});
    await refusal('ERR_JWT_TYPE', () => decodeAccountJwt(generic));
  });
});
