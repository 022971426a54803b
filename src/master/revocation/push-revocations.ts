// Pushes revocations to every server, with the keys of the master's home.
import { withOpenHome } from '../../account/change-account.js';
import { revokeKeys, type RevokedKeys } from '../../account/revoke-keys.js';
import type { AccountClaims } from '../../jwt/claims.js';
import type { SystemConnectionOptions } from '../../system-account/system-connection.js';
import type { MasterContext } from '../context.js';

/** Revokes keys on every server. @param also further changes of the account, made if there is something to push */
export type PushRevocations = (
  keys: ReadonlyMap<string, number>,
  also: (claims: AccountClaims) => AccountClaims,
) => Promise<Pick<RevokedKeys, 'inForce' | 'left' | 'report' | 'restored'>>;

/** Pushes over the system account, with the home's keys. @param options how to connect to it */
export function pushFromHome(
  { trust, now }: Pick<MasterContext, 'trust' | 'now'>,
  options: SystemConnectionOptions,
): PushRevocations {
  return async (keys, also) => {
    // wait before locking the home, not while it is locked
    await options.direct?.pushing.settled();
    const revoked = await withOpenHome(trust.domain.home, 'zester master', { ...options, now }, (open) =>
      revokeKeys(open, keys, { now, also }),
    );
    void trust.reload();
    return revoked;
  };
}
