/**
 * `validateJwtChain` gives the same verdict on a user as a nats-server at connect: both judge the same users.
 */
import { connect } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createAccountJwt,
  createOperatorJwt,
  createUserJwt,
  generateKeyBundle,
  validateJwtChain,
  type UserJwtOptions,
} from '../../src/index.js';
import { signNonce } from '../../src/creds/sign-nonce.js';
import { alter, forge, partsOf, reforge } from '../jwt/forge.js';
import { startOperatorServer, type OperatorServer } from '../support/operator-server.js';
import type { TestTrust } from '../support/trust.js';

const operator = generateKeyBundle('operator');
const account = generateKeyBundle('account');
const signer = generateKeyBundle('account');
const scopedSigner = generateKeyBundle('account');
const noBearer = generateKeyBundle('account');
const stranger = generateKeyBundle('account');
const user = generateKeyBundle('user');
const revoked = generateKeyBundle('user');
const reissued = generateKeyBundle('user');

const now = Math.floor(Date.now() / 1000);
const operatorJwt = createOperatorJwt(operator, { name: 'O' });
const accountJwt = createAccountJwt(account, operator, {
  name: 'A',
  signingKeys: [
    signer.publicKey,
    {
      publicKey: scopedSigner.publicKey,
      role: 'peel',
      permissions: { publish: { allow: ['a'] }, subscribe: { allow: ['>'] } },
    },
  ],
  revocations: { [revoked.publicKey]: now + 3600, [reissued.publicKey]: now - 3600 },
});
const noBearerJwt = createAccountJwt(noBearer, operator, { name: 'B', limits: { disallowBearer: true } });
const allRevoked = generateKeyBundle('account');
const allRevokedJwt = createAccountJwt(allRevoked, operator, { name: 'C', revocations: { '*': now + 3600 } });

const issuerAccount = account.publicKey;
const make = (options: Partial<UserJwtOptions> = {}, by = account, key = user) =>
  createUserJwt(key, by, { name: 'u', ...options });
const own = make();

const CASES: [
  what: string,
  jwt: string,
  holds: boolean,
  options?: { account?: string; key?: typeof user },
][] = [
  ['signed by the account', own, true],
  ['signed by a signing key', make({ issuerAccount }, signer), true],
  [
    'signed by the scoped signing key, without permissions',
    make({ issuerAccount, scoped: true }, scopedSigner),
    true,
  ],
  ['signed by a signing key, without naming the account', make({}, signer), false],
  [
    'signed by the scoped signing key, with permissions',
    make(
      { issuerAccount, permissions: { publish: { allow: ['b'] }, subscribe: { allow: ['>'] } } },
      scopedSigner,
    ),
    false,
  ],
  ['signed by the scoped signing key, with the limits "none"', make({ issuerAccount }, scopedSigner), false],
  [
    'signed by the account, naming it all the same',
    reforge(own, account, ({ nats }) => void (nats['issuer_account'] = issuerAccount)),
    true,
  ],
  [
    'signed by the account, naming another',
    reforge(own, account, ({ nats }) => void (nats['issuer_account'] = noBearer.publicKey)),
    false,
  ],
  ['signed by a stranger', make({}, stranger), false],
  ['signed by a stranger, naming the account', make({ issuerAccount }, stranger), false],
  ['that is valid for an hour', make({ expiry: 3600, notBefore: now - 3600 }), true],
  ['that has expired', make({ expiry: 1, now: () => (now - 3600) * 1000 }), false],
  ['that is not yet valid', make({ notBefore: now + 3600 }), false],
  ['whose expiry is 0', reforge(own, account, (claims) => void (claims['exp'] = 0)), true],
  ['that is revoked', make({}, account, revoked), false, { key: revoked }],
  ['whose key was revoked before it was issued', make({}, account, reissued), true, { key: reissued }],
  ['revoked with everyone', make({}, allRevoked), false, { account: allRevokedJwt }],
  ['that is a bearer', make({ bearer: true }), true],
  [
    'that is a bearer where none is allowed',
    make({ bearer: true }, noBearer),
    false,
    { account: noBearerJwt },
  ],
  ['that was altered', alter(own, (claims) => void (claims['name'] = 'v')), false],
  [
    'without a signature that means anything',
    `${own.split('.').slice(0, 2).join('.')}.${'A'.repeat(86)}`,
    false,
  ],
  ['with the algorithm none', forge(partsOf(own).claims, account, { typ: 'JWT', alg: 'none' }), false],
  ['with another algorithm', forge(partsOf(own).claims, account, { typ: 'JWT', alg: 'HS256' }), false],
  ['that is the JWT of an account', accountJwt, false],
];

describe('a user JWT', () => {
  let server: OperatorServer;
  beforeAll(async () => {
    const system = generateKeyBundle('account');
    // only used in the server's configuration
    const trust = {
      operatorJwt,
      account: { key: account, jwt: accountJwt },
      systemAccount: { key: system, jwt: createAccountJwt(system, operator, { name: 'SYS' }) },
      extraAccounts: {
        B: { key: noBearer, jwt: noBearerJwt },
        C: { key: allRevoked, jwt: allRevokedJwt },
      },
    } as unknown as TestTrust;
    server = await startOperatorServer({ trust });
  });

  it.each(CASES)('%s', async (_, jwt, holds, { account: accountOf = accountJwt, key = user } = {}) => {
    const chain = () => validateJwtChain(operatorJwt, accountOf, jwt);
    const dial = async () => {
      const nc = await connect({
        servers: server.url,
        authenticator: (nonce?: string) => signNonce(jwt, key, nonce),
        reconnect: false,
      });
      await nc.close();
    };
    if (holds) {
      await expect(dial(), 'the server lets it in').resolves.toBeUndefined();
      expect(chain, 'and the chain holds').not.toThrow();
    } else {
      await expect(dial(), 'the server refuses it').rejects.toThrow(/authorization violation|expired/i);
      expect(chain, 'and the chain breaks').toThrow(
        expect.objectContaining({ name: 'JwtChainError' }) as Error,
      );
    }
  });
});
