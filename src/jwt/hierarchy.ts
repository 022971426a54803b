// Creates an operator, an account and a user in one call.
import { bag, checkOptions, text, type Entries } from '../options/check-options.js';
import { jwtOptionsError } from './options-error.js';
import { generateKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { createAccountJwt } from './account.js';
import { createOperatorJwt } from './operator.js';
import { createUserJwt } from './user.js';

/** An operator, an account and a user, each with its key and its JWT. */
export interface FullHierarchy {
  operator: KeyBundle;
  operatorJwt: string;
  account: KeyBundle;
  accountJwt: string;
  user: KeyBundle;
  /** Without expiry and permissions: the user may do anything in its account. */
  userJwt: string;
  /** Wipes the keys. */
  [Symbol.dispose](): void;
}

/** The named arguments of {@link generateFullHierarchy}. */
export interface HierarchyNames {
  operatorName: string;
  accountName: string;
  userName: string;
}

const NAMES = bag(
  { operatorName: text, accountName: text, userName: text } satisfies Entries<HierarchyNames>,
  { required: ['operatorName', 'accountName', 'userName'] },
);

/**
 * Creates an operator, an account signed by it and a user signed by the account: the smallest complete chain. The user
 * may do anything in its account; use `createUserJwt` for restricted users.
 *
 * @throws JwtError `ERR_JWT_OPTIONS` when an object lacks a name, or has an unknown option
 *
 * @example
 * import { generateFullHierarchy, validateJwtChain } from 'zester';
 *
 * const { operatorJwt, accountJwt, userJwt } = generateFullHierarchy({
 *   operatorName: 'example.com',
 *   accountName: 'fleet',
 *   userName: 'alice',
 * });
 * validateJwtChain({ operatorJwt, accountJwt, userJwt });
 */
export function generateFullHierarchy(
  operatorName: string,
  accountName: string,
  userName: string,
): FullHierarchy;
/** The same, with named arguments. */
export function generateFullHierarchy(names: HierarchyNames): FullHierarchy;
export function generateFullHierarchy(
  first: string | HierarchyNames,
  account = '',
  user = '',
): FullHierarchy {
  if (typeof first === 'string')
    return hierarchy({ operatorName: first, accountName: account, userName: user });
  checkOptions('generateFullHierarchy', first, NAMES, jwtOptionsError);
  return hierarchy(first);
}

function hierarchy({ operatorName, accountName, userName }: HierarchyNames): FullHierarchy {
  const operator = generateKeyBundle('operator');
  const account = generateKeyBundle('account');
  const user = generateKeyBundle('user');
  return {
    operator,
    operatorJwt: createOperatorJwt(operator, { name: operatorName }),
    account,
    accountJwt: createAccountJwt(account, operator, { name: accountName }),
    user,
    userJwt: createUserJwt(user, account, { name: userName }),
    [Symbol.dispose]() {
      for (const key of [operator, account, user]) key.wipe();
    },
  };
}
