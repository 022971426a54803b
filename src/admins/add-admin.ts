// Adds an admin: credentials of its own, with a role.
import { withOpenHome, type ChangeOptions } from '../account/change-account.js';
import { masterSigner } from '../account/identity-key.js';
import { formatCreds } from '../creds/format.js';
import { TrustError, UsageError } from '../errors.js';
import { writeSecretFile } from '../files/write-secret-file.js';
import { decodeUserJwt } from '../jwt/decode.js';
import { nowSeconds } from '../jwt/time.js';
import { createUserJwt } from '../jwt/user.js';
import { generateKeyBundle } from '../nkeys/key-bundle.js';
import { isAdminName } from '../permissions/admin-names.js';
import type { AddedRole } from '../permissions/admin-roles.js';
import { adminUserJwtOptions } from '../permissions/roles.js';
import { isInForce, readAddedAdmins, writeAddedAdmins, type AddedAdmin } from './added-admins.js';

/** How an admin is added. */
export interface AddAdminOptions extends ChangeOptions {
  name: string;
  role: AddedRole;
  /** Seconds; 0: it never expires. */
  expiry: number;
  /** The file of the account's identity seed, where it is not in the home. */
  accountSeed?: string | undefined;
  /** Replace what stands at the path. */
  force?: boolean;
}

/**
 * Adds an admin, and writes its credentials. They are noted in the home before they are written, so that an admin that exists
 * can be removed. No server needs to be told: the account's identity key signs them. They are asked all the same, so that a
 * command that cannot reach them changes nothing.
 *
 * @param path the `.creds` file
 * @throws UsageError for a name that is none; TrustError `ERR_TRUST_ADMIN` when there is one of that name,
 *   `ERR_TRUST_KEY_OFFLINE`; FileError
 */
export async function addAdmin(home: string, path: string, options: AddAdminOptions): Promise<AddedAdmin> {
  const { name, role, expiry, accountSeed, force = false, now } = options;
  if (!isAdminName(name))
    throw new UsageError(
      `"${name.slice(0, 60)}" is not a name for an admin: use up to 40 lower-case letters, digits and hyphens`,
    );
  return withOpenHome(home, 'zester admin add', options, async ({ domain }) => {
    const admins = await readAddedAdmins(domain.paths.admins);
    if (admins.some((admin) => admin.name === name && isInForce(admin, nowSeconds(now))))
      throw new TrustError(
        'ERR_TRUST_ADMIN',
        home,
        `there is an admin "${name}" already: choose another name, or remove it first ("zester admin remove ${name}")`,
      );
    const signer = await masterSigner(domain, accountSeed);
    const user = generateKeyBundle('user');
    const seed = user.seed;
    try {
      const validity = { ...(expiry > 0 && { expirySeconds: expiry }), ...(now && { now }) };
      const jwt = createUserJwt(
        user,
        signer,
        adminUserJwtOptions(domain.publicKeys.account, { admin: { name, role }, ...validity }),
      );
      const { iat, exp } = decodeUserJwt(jwt);
      const added: AddedAdmin = { name, role, publicKey: user.publicKey, issuedAt: iat, expiresAt: exp };
      await writeAddedAdmins(domain.paths.admins, [...admins, added]);
      const content = formatCreds(jwt, seed);
      try {
        await writeSecretFile(path, content, { ifAbsent: !force });
      } catch (error) {
        await writeAddedAdmins(domain.paths.admins, admins);
        throw error;
      } finally {
        content.fill(0);
      }
      return added;
    } finally {
      seed.fill(0);
      user.wipe();
      signer.wipe();
    }
  });
}
