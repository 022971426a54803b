// The operator and the accounts of a test, in memory.
import { createAccountJwt, type AccountJwtOptions } from '../jwt/account.js';
import { createOperatorJwt, type OperatorJwtOptions } from '../jwt/operator.js';
import { generateKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { peelLimits, peelPermissionsTemplate } from '../permissions/roles.js';

/** The options of {@link createTestTrust}: differences from the usual trust of a test. */
export interface TestTrustOptions {
  operator?: Partial<OperatorJwtOptions> | undefined;
  /** In addition to JetStream and the signing key `peel`. */
  account?: Partial<AccountJwtOptions> | undefined;
  /** Other accounts of the operator, by name. */
  extraAccounts?: Readonly<Record<string, Partial<AccountJwtOptions>>> | undefined;
}

/** An account and its key. */
export interface TestAccount {
  key: KeyBundle;
  jwt: string;
}

/** An operator and its accounts, in memory. */
export interface TestTrust extends Disposable {
  operator: KeyBundle;
  /** Signs the accounts. */
  operatorSigner: KeyBundle;
  operatorJwt: string;
  systemAccount: TestAccount;
  /** The fleet's account: JetStream, and the scoped signing key of the peels. */
  account: TestAccount;
  /** The scoped signing key `peel` of the account. */
  peelSigner: KeyBundle;
  extraAccounts: Readonly<Record<string, TestAccount>>;
  /** The account's JWT, re-signed with these options changed: for a push. */
  accountJwtWith(changes: Partial<AccountJwtOptions>): string;
}

/**
 * Creates an operator with a signing key, a system account and the account of a fleet, all in memory. `startTestServer`
 * starts a server that trusts it.
 *
 * @throws JwtError of the options
 * @example
 * import { createUserJwt, generateKeyBundle, validateJwtChain } from 'zester';
 * import { createTestTrust } from 'zester/testing';
 *
 * const trust = createTestTrust({ account: { name: 'shop' } });
 * const user = createUserJwt(generateKeyBundle('user'), trust.account.key, { name: 'till-1' });
 * validateJwtChain(trust.operatorJwt, trust.account.jwt, user);
 */
export function createTestTrust(options: TestTrustOptions = {}): TestTrust {
  const operator = generateKeyBundle('operator');
  const operatorSigner = generateKeyBundle('operator');
  const systemKey = generateKeyBundle('account');
  const accountKey = generateKeyBundle('account');
  const peelSigner = generateKeyBundle('account');
  const accountOptions: AccountJwtOptions = {
    name: 'fleet',
    jetStream: true,
    ...options.account,
    signingKeys: [
      {
        publicKey: peelSigner.publicKey,
        role: 'peel',
        permissions: peelPermissionsTemplate(),
        ...peelLimits(),
      },
      ...(options.account?.signingKeys ?? []),
    ],
  };
  const accountJwtWith = (changes: Partial<AccountJwtOptions>) =>
    createAccountJwt(accountKey, operatorSigner, { ...accountOptions, ...changes });
  const extraAccounts = Object.fromEntries(
    Object.entries(options.extraAccounts ?? {}).map(([name, extra]) => {
      const key = generateKeyBundle('account');
      return [name, { key, jwt: createAccountJwt(key, operatorSigner, { name, ...extra }) }];
    }),
  );
  return {
    operator,
    operatorSigner,
    operatorJwt: createOperatorJwt(operator, {
      name: 'test-operator',
      systemAccount: systemKey.publicKey,
      signingKeys: [operatorSigner.publicKey],
      ...options.operator,
    }),
    systemAccount: {
      key: systemKey,
      jwt: createAccountJwt(systemKey, operatorSigner, { name: 'SYS' }),
    },
    // a while ago, so that what a test pushes is newer: of two issued in the same second, a starting server uses the
    // one in its configuration
    account: { key: accountKey, jwt: accountJwtWith({ now: () => Date.now() - 60_000, ...options.account }) },
    peelSigner,
    extraAccounts,
    accountJwtWith,
    [Symbol.dispose]() {
      const extra = Object.values(extraAccounts).map(({ key }) => key);
      for (const key of [operator, operatorSigner, systemKey, accountKey, peelSigner, ...extra]) key.wipe();
    },
  };
}
