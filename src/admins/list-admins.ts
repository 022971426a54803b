// Lists the admins that were added: their roles, and whether they are connected.
import { newestClaims, withConnectedHome, type ChangeOptions } from '../account/change-account.js';
import { isRevoked } from '../jwt/chain.js';
import { nowSeconds } from '../jwt/time.js';
import { connectedUsers } from '../system-account/connected-users.js';
import { readAddedAdmins, type AddedAdmin } from './added-admins.js';

/** What has become of an admin's credentials. */
export type AdminState = 'active' | 'expired' | 'revoked';

/** An admin, as {@link listAdmins} finds it. */
export interface ListedAdmin extends AddedAdmin {
  state: AdminState;
  /** Where it is connected from, and since when (ISO 8601); undefined: not known. */
  connections: { host: string | undefined; since: string | undefined }[] | undefined;
}

/**
 * Lists the admins that were added from a home. Whether one is revoked is what the servers' account JWT says.
 *
 * Cost: one question to all servers for each admin in force.
 *
 * @throws TrustError, NatsServerError
 */
export async function listAdmins(home: string, options: ChangeOptions): Promise<ListedAdmin[]> {
  return withConnectedHome(home, options, async (open) => {
    const { domain, connected } = open;
    const { revocations = {} } = (await newestClaims(open)).nats;
    const nowS = nowSeconds(options.now);
    const listed: ListedAdmin[] = [];
    for (const admin of await readAddedAdmins(domain.paths.admins)) {
      const { publicKey, issuedAt, expiresAt } = admin;
      const state = isRevoked(revocations, publicKey, issuedAt)
        ? 'revoked'
        : expiresAt !== undefined && expiresAt <= nowS
          ? 'expired'
          : 'active';
      const found =
        connected === undefined
          ? undefined
          : state !== 'active'
            ? []
            : (await connectedUsers(connected.nc, domain.publicKeys.account, { publicKey })).users;
      listed.push({ ...admin, state, connections: found?.map(({ host, since }) => ({ host, since })) });
    }
    return listed;
  });
}
