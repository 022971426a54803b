// Removes an admin: revokes its key on every server.
import { withOpenHome, type ChangeOptions } from '../account/change-account.js';
import type { PushReport } from '../account/push-account.js';
import { revokeKeys } from '../account/revoke-keys.js';
import { TrustError } from '../errors.js';
import { FOR_GOOD } from '../jwt/revoke-up-to.js';
import { nowSeconds } from '../jwt/time.js';
import { isPublicKey } from '../nkeys/validate.js';
import { isInForce, readAddedAdmins, writeAddedAdmins, type AddedAdmin } from './added-admins.js';

/** What {@link removeAdmin} did. */
export interface RemovedAdmin {
  admin: AddedAdmin;
  /** Which servers have the revocation, and none of its connections; undefined: it was not pushed. */
  report: PushReport | undefined;
}

/**
 * Removes an admin: its key is revoked permanently on every server, which cuts its connections, and masters refuse what it
 * signs. Again is fine: it continues where servers had not confirmed.
 *
 * @param which its name, or its public key
 * @throws TrustError `ERR_TRUST_ADMIN` when the home does not know it; as `changeAccount`
 */
export async function removeAdmin(
  home: string,
  which: string,
  options: ChangeOptions,
): Promise<RemovedAdmin> {
  return withOpenHome(home, 'zester admin remove', options, async (open) => {
    const { paths } = open.domain;
    const admins = await readAddedAdmins(paths.admins);
    const nowS = nowSeconds(options.now);
    const meant = admins.filter(({ name, publicKey }) =>
      isPublicKey(which, 'user') ? publicKey === which : name === which,
    );
    // of those that had the name one after the other, the one that can be used, or else the last
    const admin = meant.find((one) => isInForce(one, nowS)) ?? meant.at(-1);
    if (admin === undefined)
      throw new TrustError(
        'ERR_TRUST_ADMIN',
        home,
        `this home has added no admin "${which.slice(0, 60)}": see "zester admin list"; the owner's admin.creds is revoked by "zester revoke --creds"`,
      );
    const { report } = await revokeKeys(open, new Map([[admin.publicKey, FOR_GOOD]]), {
      ...(options.now && { now: options.now }),
    });
    const removed = { ...admin, removedAt: admin.removedAt ?? nowS };
    await writeAddedAdmins(
      paths.admins,
      admins.map((one) => (one.publicKey === admin.publicKey ? removed : one)),
    );
    return { admin: removed, report };
  });
}
