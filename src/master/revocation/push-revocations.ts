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
  let last: ReadonlyMap<string, number> = new Map();
  return async (keys, also) => {
    // wait before locking the home, not while it is locked. A repeated push has the home's account JWT, and need not wait
    const isRepeated = [...keys].every(([key, upTo]) => (last.get(key) ?? -1) >= upTo);
    await options.direct?.pushing.settled(isRepeated ? trust.domain.accountJwt : undefined);
    last = keys;
    const push = () =>
      withOpenHome(trust.domain.home, 'zester master', { ...options, now }, (open) =>
        revokeKeys(open, keys, { now, also }),
      );
    const revoked = await (options.direct?.querying.requests.run(push) ?? push());
    void trust.reload();
    return revoked;
  };
}
