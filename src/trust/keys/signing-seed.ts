// The path of a signing key's seed.
import { addedSeedPath, firstSeedPath, type SigningKeyKind, type TrustPaths } from '../paths.js';
import { pathExists } from '../private-files.js';

/** The path of a signing key's seed: a file with the public key in its name, otherwise the path of the first key. */
export function signingSeedPath(paths: TrustPaths, kind: SigningKeyKind, publicKey: string): string {
  const added = addedSeedPath(paths, kind, publicKey);
  return pathExists(added) ? added : firstSeedPath(paths, kind);
}
