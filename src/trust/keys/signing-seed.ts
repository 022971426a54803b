// The path of a signing key's seed.
import { addedSeedPath, firstSeedPath, type SigningKeyKind, type TrustPaths } from '../paths.js';
import { isThere } from '../private-files.js';

/** Where the seed of a signing key is: in a file with its public key in the name, else where the first one is. */
export async function signingSeedPath(
  paths: TrustPaths,
  kind: SigningKeyKind,
  publicKey: string,
): Promise<string> {
  const added = addedSeedPath(paths, kind, publicKey);
  return (await isThere(added)) ? added : firstSeedPath(paths, kind);
}
