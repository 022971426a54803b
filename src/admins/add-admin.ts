// Adds an admin with its own credentials and a role.
import { newestClaims, withOpenHome, type ChangeOptions } from '../account/change-account.js';
import { masterSigner } from '../account/identity-key.js';
import { formatCreds } from '../creds/format.js';
import { TrustError, UsageError } from '../errors.js';
import { writeSecretFile } from '../files/write-secret-file.js';
import { decodeUserJwt } from '../jwt/decode.js';
import { EVERYONE } from '../jwt/revocations.js';
import { issueAfter } from '../jwt/revoke-up-to.js';
import { nowSeconds } from '../jwt/time.js';
import { createUserJwt } from '../jwt/user.js';
import { generateKeyBundle } from '../nkeys/key-bundle.js';
import { isAdminName } from '../permissions/admin-names.js';
import type { AddedRole } from '../permissions/admin-roles.js';
import { adminUserJwtOptions } from '../permissions/roles.js';
import type { TrustDomain } from '../trust/domain.js';
import { readAddedAdmins, writeAddedAdmins, type AddedAdmin } from './added-admins.js';
import { adminState } from './admin-state.js';
import { auditAdded, auditRemoved } from './audit-admin.js';
import { excerpt } from '../text/excerpt.js';
import { knownAdmins } from './known-admins.js';

/** The options for adding an admin. */
export interface AddAdminOptions extends ChangeOptions {
  servers: readonly string[];
  name: string;
  role: AddedRole;
  /** Credential lifetime in seconds; 0 = never expires. */
  expiry: number;
  /** The file of the account's identity seed, if it is not in the home. */
  accountSeed?: string | undefined;
  /** Replace an existing file. */
  force?: boolean;
}

/** The result of {@link addAdmin}. */
export interface NewAdmin {
  admin: AddedAdmin;
  /** False: there is no audit log yet, since no master has run. */
  audited: boolean;
}

/**
 * Adds an admin, and writes its credentials. The audit log and the home's list record the admin before its file exists,
 * so no admin is unrecorded. The account JWT does not change: the account's identity key signs the credentials.
 *
 * @param path the `.creds` file
 * @throws UsageError for an invalid name; TrustError `ERR_TRUST_ADMIN` when an active admin of that name exists,
 *   `ERR_TRUST_KEY_OFFLINE`; FleetError `ERR_FLEET_STORE` when the audit log cannot be written; FileError: no
 *   credentials exist then
 */
export async function addAdmin(home: string, path: string, options: AddAdminOptions): Promise<NewAdmin> {
  const { name, now } = options;
  if (!isAdminName(name))
    throw new UsageError(
      `"${excerpt(name)}" is not a valid name for an admin: use up to 40 lower-case letters, digits and hyphens`,
    );
  return withOpenHome(home, 'zester admin add', options, async (open) => {
    const { domain } = open;
    const { admins } = await knownAdmins(domain, options);
    const { revocations } = (await newestClaims(open)).nats;
    const isActive = (admin: AddedAdmin) => adminState(admin, revocations, nowSeconds(now)) === 'active';
    if (admins.some((admin) => admin.name === name && isActive(admin)))
      throw new TrustError(
        'ERR_TRUST_ADMIN',
        home,
        `an admin "${name}" exists already: choose another name, or remove it first ("zester admin remove ${name}")`,
      );
    const { admin, content } = await signAdmin(domain, options, revocations?.[EVERYONE]);
    try {
      const audited = await auditAdded(domain, options, admin);
      await writeNoted(domain, path, { admin, content, audited }, options);
      return { admin, audited };
    } finally {
      content.fill(0);
    }
  });
}

/**
 * The content of a new admin's `.creds` file. The caller wipes it.
 *
 * @param revoked time of the revocation of everyone, in seconds since 1970: a JWT of the same second would be revoked
 */
async function signAdmin(
  domain: TrustDomain,
  { name, role, expiry, accountSeed, now = Date.now }: AddAdminOptions,
  revoked: number | undefined,
): Promise<{ admin: AddedAdmin; content: Uint8Array }> {
  const signer = await masterSigner(domain, accountSeed);
  const user = generateKeyBundle('user');
  const seed = user.seed;
  try {
    const validity = {
      ...(expiry > 0 && { expirySeconds: expiry }),
      now: () => issueAfter(now(), { revoked }),
    };
    const granted = adminUserJwtOptions(domain.publicKeys.account, { admin: { name, role }, ...validity });
    const jwt = createUserJwt(user, signer, granted);
    const { iat, exp } = decodeUserJwt(jwt);
    const admin = { name, role, publicKey: user.publicKey, issuedAt: iat, expiresAt: exp };
    return { admin, content: formatCreds(jwt, seed) };
  } finally {
    seed.fill(0);
    user.wipe();
    signer.wipe();
  }
}

/** Writes the home's list and the file; if one fails, rolls back and audits the failure. */
async function writeNoted(
  domain: TrustDomain,
  path: string,
  { admin, content, audited }: NewAdmin & { content: Uint8Array },
  options: AddAdminOptions,
): Promise<void> {
  const { admins } = domain.paths;
  const before = await readAddedAdmins(admins);
  try {
    await writeAddedAdmins(admins, [...before, admin]);
    await writeSecretFile(path, content, { ifAbsent: options.force !== true });
  } catch (error) {
    await writeAddedAdmins(admins, before).catch(() => undefined);
    const gone = { admin, by: 'zester admin add', reason: 'its file could not be written' };
    if (audited) await auditRemoved(domain, options, gone).catch(() => undefined);
    throw error;
  }
}
