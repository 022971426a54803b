// Opens the account's identity key, from the home or from a file.
import { loadKeyBundleFromFile } from '../creds/load-key-bundle.js';
import { TrustError } from '../errors.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import type { TrustDomain } from '../trust/domain.js';

/**
 * The account's identity key. The caller wipes it.
 *
 * @param path its seed, where it is not in the home
 * @returns undefined: it is offline, and no file was given
 * @throws TrustError `ERR_TRUST_KEY_MISMATCH`; KeyError, FileError
 */
export async function identityKey(
  domain: TrustDomain,
  path: string | undefined,
): Promise<KeyBundle | undefined> {
  if (path === undefined) {
    return domain.accountKey().catch((error: unknown) => {
      if (error instanceof TrustError && error.code === 'ERR_TRUST_KEY_OFFLINE') return undefined;
      throw error;
    });
  }
  const key = await loadKeyBundleFromFile('account', path);
  if (key.publicKey === domain.publicKeys.account) return key;
  key.wipe();
  throw new TrustError(
    'ERR_TRUST_KEY_MISMATCH',
    domain.home,
    `${path} holds the seed of ${key.publicKey}, but the account of this home is ${domain.publicKeys.account}: give the ` +
      'account.seed that "zester keys export-identity" exported',
  );
}
