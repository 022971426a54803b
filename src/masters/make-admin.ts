// Creates an admin for a home that has none.
import { requireIdentityKey } from '../account/identity-key.js';
import { loadCredsFile } from '../creds/parse.js';
import { TrustError } from '../errors.js';
import { expiryTime } from '../jwt/expiry.js';
import { adminUserJwtOptions } from '../permissions/roles.js';
import { writeUser } from '../trust/create/steps.js';
import { withHomeLock } from '../trust/lock.js';
import { openTrustDomain } from '../trust/open.js';
import { pathExists } from '../trust/private-files.js';

/**
 * Creates `creds/admin.creds`, signed by the account's identity key. It has the lifetime of the home's other
 * credentials, or does not expire if these do not.
 *
 * @param options.accountSeed the file of the identity seed, if it is not in the home
 * @throws TrustError `ERR_TRUST_HOME_IN_USE` when the file exists, `ERR_TRUST_KEY_OFFLINE`; KeyError, FileError
 */
export async function makeAdminCreds(
  home: string,
  { accountSeed, now = Date.now }: { accountSeed?: string | undefined; now?: () => number } = {},
): Promise<{ path: string; publicKey: string; expiresAt: number | undefined }> {
  return withHomeLock(home, 'zester creds renew', async () => {
    const domain = await openTrustDomain(home);
    const { adminCreds: path } = domain.paths;
    if (pathExists(path))
      throw new TrustError('ERR_TRUST_HOME_IN_USE', path, `${path} already exists: move it away first`);
    const signer = await requireIdentityKey(domain, accountSeed, 'it signs a new admin');
    const lifetime = domain.settings.renewal?.lifetime;
    try {
      const options = { now, ...(lifetime !== undefined && { expiry: lifetime }) };
      await writeUser(path, signer, adminUserJwtOptions(domain.publicKeys.account, options));
    } finally {
      signer.wipe();
    }
    const creds = await loadCredsFile(path);
    creds.wipe();
    return { path, publicKey: creds.publicKey, expiresAt: expiryTime(creds.claims) };
  });
}
