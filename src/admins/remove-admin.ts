// Removes an admin: revokes its key on every server.
import { newestClaims, withOpenHome, type ChangeOptions } from '../account/change-account.js';
import { requireComplete, type PushReport } from '../account/push-account.js';
import { revokeKeys } from '../account/revoke-keys.js';
import { TrustError } from '../errors.js';
import { PERMANENT } from '../jwt/revoke-up-to.js';
import { nowSeconds } from '../jwt/time.js';
import { isPublicKey } from '../nkeys/validate.js';
import { excerpt } from '../text/excerpt.js';
import { readAddedAdmins, writeAddedAdmins, type AddedAdmin } from './added-admins.js';
import { adminState } from './admin-state.js';
import { knownAdmins } from './known-admins.js';

/** The result of {@link removeAdmin}. */
export interface RemovedAdmin {
  admin: AddedAdmin;
  /** The servers that have the revocation and no connection of the admin; undefined: nothing was pushed. */
  report: PushReport | undefined;
}

/**
 * Removes an admin: its key is revoked permanently on every server, which cuts its connections, and masters refuse its
 * requests. If a server has not confirmed, call it again to continue.
 *
 * @param which the admin's name or public key
 * @throws TrustError `ERR_TRUST_ADMIN` when neither the home nor the audit log knows it; as `changeAccount`, and
 *   `ERR_NATS_SERVER_PUSH_REFUSED` when no server accepted the revocation: nothing has changed then
 */
export async function removeAdmin(
  home: string,
  which: string,
  options: ChangeOptions & { servers: readonly string[] },
): Promise<RemovedAdmin> {
  return withOpenHome(home, 'zester admin remove', options, async (open) => {
    const { paths } = open.domain;
    const { admins, unread } = await knownAdmins(open.domain, options);
    const nowS = nowSeconds(options.now);
    const matching = admins.filter(({ name, publicKey }) =>
      isPublicKey(which, 'user') ? publicKey === which : name === which,
    );
    // if several admins have had this name, the active one, otherwise the last
    const { revocations } = (await newestClaims(open)).nats;
    const admin = matching.find((one) => adminState(one, revocations, nowS) === 'active') ?? matching.at(-1);
    if (admin === undefined)
      throw new TrustError(
        'ERR_TRUST_ADMIN',
        home,
        `there is no admin "${excerpt(which)}"${unread === undefined ? '' : ` in this home, and the audit log could not be read (${unread})`}: ` +
          'see "zester admin list"; revoke any other credentials with "zester revoke --creds FILE" or "--key U…"',
      );
    const { report } = await revokeKeys(open, new Map([[admin.publicKey, PERMANENT]]), {
      ...(options.now && { now: options.now }),
    });
    if (report?.confirmed.length === 0)
      requireComplete(report, `the revocation of the admin "${admin.name}"`);
    const removed = { ...admin, removedAt: admin.removedAt ?? nowS };
    const own = await readAddedAdmins(paths.admins);
    if (own.some(({ publicKey }) => publicKey === admin.publicKey))
      await writeAddedAdmins(
        paths.admins,
        own.map((one) => (one.publicKey === admin.publicKey ? removed : one)),
      );
    return { admin: removed, report };
  });
}
