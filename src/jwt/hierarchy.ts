// Creates an operator, an account and a user in one call.
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
  userJwt: string;
}

/**
 * Makes an operator, an account that it signed and a user that the account signed: the smallest whole chain. The user
 * may do anything in its account; `createUserJwt` makes narrower ones.
 */
export function generateFullHierarchy(
  operatorName: string,
  accountName: string,
  userName: string,
): FullHierarchy {
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
  };
}
