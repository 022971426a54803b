// Opens the account's identity key, from the home or from a file.
import { loadKeyBundleFromFile } from '../creds/load-key-bundle.js';
import { TrustError } from '../errors.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { signingKeyOf } from '../trust/create/adopt.js';
import type { TrustDomain } from '../trust/domain.js';

/**
 * The account's identity key. The caller wipes it.
 *
 * @param path its seed, if it is not in the home
 * @returns undefined if it is offline, and no file was given
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

/**
 * Like {@link identityKey}, for operations that require it.
 *
 * @param why the purpose, for the error
 * @throws TrustError `ERR_TRUST_KEY_OFFLINE`, `ERR_TRUST_KEY_MISMATCH`; KeyError, FileError
 */
export async function requireIdentityKey(
  domain: TrustDomain,
  path: string | undefined,
  why: string,
): Promise<KeyBundle> {
  const key = await identityKey(domain, path);
  if (key !== undefined) return key;
  throw new TrustError(
    'ERR_TRUST_KEY_OFFLINE',
    domain.home,
    `the account's identity seed is not in the home, and ${why}: pass --account-seed FILE`,
  );
}

/**
 * A key that signs masters: the account's identity or, given as a file, an unscoped signing key. The caller wipes it.
 *
 * @param path its seed, if it is not in the home
 * @throws TrustError `ERR_TRUST_KEY_OFFLINE`, `ERR_TRUST_KEY_MISMATCH`; KeyError, FileError
 */
export async function masterSigner(domain: TrustDomain, path: string | undefined): Promise<KeyBundle> {
  if (path !== undefined) {
    const key = await loadKeyBundleFromFile('account', path);
    if (typeof signingKeyOf(domain.accountClaims, key.publicKey) === 'string') return key;
    key.wipe();
  }
  return requireIdentityKey(domain, path, 'it signs masters');
}
