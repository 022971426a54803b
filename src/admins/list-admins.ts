// Lists the added admins: their roles, and whether they are connected.
import { newestClaims, withConnectedHome, type ChangeOptions } from '../account/change-account.js';
import { nowSeconds } from '../jwt/time.js';
import { connectedUsers } from '../system-account/connected-users.js';
import type { AddedAdmin } from './added-admins.js';
import { adminState, type AdminState } from './admin-state.js';
import { knownAdmins } from './known-admins.js';

/** An admin in the result of {@link listAdmins}. */
export interface ListedAdmin extends AddedAdmin {
  state: AdminState;
  /** Its connections: address and start (ISO 8601); undefined: unknown. */
  connections: { host: string | undefined; since: string | undefined }[] | undefined;
}

/**
 * Lists the admins added from any home. Revocations come from the servers' account JWT.
 *
 * Cost: one list of all connections. A server looks one user up by the key that its client named, which a thief chooses.
 *
 * @returns `unread`: why the audit log could not be read; then only this home's admins are listed
 * @throws TrustError, NatsServerError
 */
export async function listAdmins(
  home: string,
  options: ChangeOptions,
): Promise<{ admins: ListedAdmin[]; unread: string | undefined }> {
  return withConnectedHome(home, options, async (open) => {
    const { domain, connected } = open;
    const { servers, ...rest } = options;
    const known = await knownAdmins(domain, servers === false ? undefined : { ...rest, servers });
    const { revocations } = (await newestClaims(open)).nats;
    const nowS = nowSeconds(options.now);
    const users = connected && (await connectedUsers(connected.nc, domain.publicKeys.account)).users;
    const admins: ListedAdmin[] = [];
    for (const admin of known.admins) {
      const state = adminState(admin, revocations, nowS);
      const found = users?.filter((user) => user.publicKey === admin.publicKey);
      admins.push({ ...admin, state, connections: found?.map(({ host, since }) => ({ host, since })) });
    }
    return { admins, unread: known.unread };
  });
}
