// Checks the values of a user's claims as a nats-server does at connect.
import { JwtError } from '../errors.js';
import type { UserClaims } from './claims.js';
import { checkedUser } from './forms/checked-values.js';
import { FormError } from './forms/form.js';

/**
 * Checks the values of a user that servers check in addition to its chain: subjects, networks, times, time zone and
 * connection types. Loading credentials skips this, since it only needs their form.
 *
 * @throws JwtError `ERR_JWT_CLAIMS`
 */
export function checkUserValues({ nats }: Pick<UserClaims, 'nats'>): void {
  try {
    checkedUser(nats);
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    const claim = ['nats', ...error.path].join('.');
    throw new JwtError('ERR_JWT_CLAIMS', `servers refuse the user JWT for "${claim}": ${error.message}`);
  }
}
