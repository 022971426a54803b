// Loads the files of an adopted operator and account.
import type { CredsFile } from '../../creds/creds-file.js';
import { loadJwtFile } from '../../creds/load-jwt-file.js';
import { loadKeyBundleFromFile } from '../../creds/load-key-bundle.js';
import { loadCredsFile } from '../../creds/parse.js';
import type { KeyBundle } from '../../nkeys/key-bundle.js';
import type { Role } from '../../nkeys/roles.js';
import type { AdoptedTrust } from './adopt.js';

/** The files of an {@link AdoptedTrust}. JWTs and seeds may be plain or decorated, as nsc writes them. */
export interface AdoptedTrustFiles {
  operatorJwt: string;
  operatorSigningSeed: string;
  operatorSeed?: string;
  systemAccountJwt: string;
  /** Either this or `systemAccountSeed`. */
  systemCreds?: string;
  systemAccountSeed?: string;
  accountJwt?: string;
  /** The account's identity, or an unscoped signing key. */
  accountSeed?: string;
  peelSigningSeed?: string;
  joinSigningSeed?: string;
}

/**
 * Loads an adopted operator and account. The caller must wipe the keys.
 *
 * @throws KeyError (a public key where a seed belongs, a seed of another role), JwtError, CredsError, FileError
 */
export async function loadAdoptedTrust(files: AdoptedTrustFiles): Promise<AdoptedTrust> {
  const loaded: (KeyBundle | CredsFile)[] = [];
  const keep = <T extends KeyBundle | CredsFile>(secret: T): T => {
    loaded.push(secret);
    return secret;
  };
  const key = async (role: Role, path: string) => keep(await loadKeyBundleFromFile(role, path));
  try {
    return {
      operatorJwt: await loadJwtFile(files.operatorJwt),
      operatorSigner: await key('operator', files.operatorSigningSeed),
      ...(files.operatorSeed !== undefined && { operator: await key('operator', files.operatorSeed) }),
      systemAccountJwt: await loadJwtFile(files.systemAccountJwt),
      system:
        files.systemAccountSeed === undefined
          ? { creds: keep(await loadCredsFile(files.systemCreds ?? '')) }
          : { signer: await key('account', files.systemAccountSeed) },
      ...(files.accountJwt !== undefined && { accountJwt: await loadJwtFile(files.accountJwt) }),
      ...(files.accountSeed !== undefined && { accountSigner: await key('account', files.accountSeed) }),
      ...(files.peelSigningSeed !== undefined && { peelSigner: await key('account', files.peelSigningSeed) }),
      ...(files.joinSigningSeed !== undefined && { joinSigner: await key('account', files.joinSigningSeed) }),
    };
  } catch (error) {
    for (const secret of loaded) secret.wipe();
    throw error;
  }
}

/** Overwrites the seeds of an {@link AdoptedTrust} in memory. */
export function wipeAdoptedTrust(adopted: AdoptedTrust): void {
  const system = 'creds' in adopted.system ? adopted.system.creds : adopted.system.signer;
  for (const secret of [
    adopted.operatorSigner,
    adopted.operator,
    system,
    adopted.accountSigner,
    adopted.peelSigner,
    adopted.joinSigner,
  ]) {
    secret?.wipe();
  }
}
