// Compares the home's account JWT with the servers', and adopts a newer one.
import { writeSecretFile } from '../files/write-secret-file.js';
import type { TrustDomain } from '../trust/domain.js';
import {
  isNone,
  mergeAccountClaims,
  NOTHING_LOST,
  type AccountLosses,
} from '../trust/account-jwt/merge-account.js';
import { withHomeLock } from '../trust/lock.js';
import { openTrustDomain } from '../trust/open.js';
import { changeAccount, withConnectedHome, type ChangeOptions, type Connected } from './change-account.js';
import { heldAccountJwts, type HeldJwt } from './held-account.js';

/** The result of {@link compareAccount}. */
export interface AccountComparison {
  /** The newest of the home's and the servers'. */
  newest: HeldJwt;
  /** Whether it is one of the servers'. */
  isBehind: boolean;
  /** Its losses. */
  lost: AccountLosses;
}

/** Compares the account JWT of a home with those on the servers. Changes nothing. */
export async function compareAccount(
  { nc, up }: Pick<Connected, 'nc' | 'up'>,
  domain: TrustDomain,
): Promise<AccountComparison> {
  const own: HeldJwt = { jwt: domain.accountJwt, claims: domain.accountClaims };
  const held = await heldAccountJwts(nc, domain, domain.publicKeys.account, up);
  const all = [own, ...held.filter(({ jwt }) => jwt !== own.jwt)];
  const { base, restored } = mergeAccountClaims(all.map(({ claims }) => claims));
  const newest = all.find(({ claims }) => claims === base) ?? own;
  return { newest, isBehind: newest !== own, lost: restored };
}

/**
 * Makes a home follow other homes' and masters' changes of the account: adopts the servers' account JWT if it is newer,
 * and restores what it lost.
 *
 * @param options.restore whether to restore and push losses; otherwise nothing changes
 * @param options.seen the servers' account JWT, if it has lost nothing. If the home has adopted it meanwhile, as after
 *   a push of this master, no server is queried while the home is locked: a revocation may be waiting for the lock
 * @returns the restored items
 * @throws as `changeAccount`
 */
export async function followAccount(
  home: string,
  options: ChangeOptions & { servers: readonly string[]; restore: boolean; seen?: string | undefined },
): Promise<AccountLosses> {
  const follow = async () => {
    if ((await openTrustDomain(home)).accountJwt === options.seen) return NOTHING_LOST;
    return withConnectedHome(home, options, async (open) => {
      const { domain, connected } = open;
      if (connected === undefined) return NOTHING_LOST;
      const { newest, isBehind, lost } = await compareAccount(connected, domain);
      if (!isNone(lost)) {
        if (!options.restore) return NOTHING_LOST;
        return (await changeAccount(open, (claims) => claims, { now: options.now })).restored;
      }
      if (isBehind) await writeSecretFile(domain.paths.accountJwt, Buffer.from(`${newest.jwt}\n`));
      return NOTHING_LOST;
    });
  };
  return withHomeLock(home, 'zester master', follow, options);
}
