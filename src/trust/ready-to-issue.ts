// Checks that new credentials of a home can connect.
import { TrustError } from '../errors.js';
import { issueAfter } from '../jwt/revoke-up-to.js';
import type { Clock } from '../jwt/time.js';
import { signingKeyOf } from './create/adopt.js';
import type { TrustDomain } from './domain.js';
import { EVERYONE } from '../jwt/revocations.js';

/**
 * Checks that users signed by the home's peel signing key can connect: the account has the key, and no revocation
 * covers a JWT issued now.
 *
 * @returns the clock for issue times: later than any revocation of all users
 * @throws TrustError `ERR_TRUST_SIGNING_KEY` when the account of the home does not have the key
 */
export function readyToIssue(
  { accountClaims, publicKeys, home }: Pick<TrustDomain, 'accountClaims' | 'publicKeys' | 'home'>,
  now: Clock = Date.now,
): Clock {
  if (typeof signingKeyOf(accountClaims, publicKeys.peelSigning) !== 'object') {
    throw new TrustError(
      'ERR_TRUST_SIGNING_KEY',
      home,
      `the account JWT of this home lacks the peel signing key ${publicKeys.peelSigning}: no server would accept ` +
        'its credentials; see "zester doctor" and "zester keys list"',
    );
  }
  const revoked = accountClaims.nats.revocations?.[EVERYONE];
  return () => issueAfter(now(), { revoked });
}
