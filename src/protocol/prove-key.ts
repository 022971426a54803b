// Signs proofs of possession of a key.
import type { CredsFile } from '../creds/creds-file.js';
import { userKeyOf } from '../creds/user-key.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';

/** The signature of a proof, as requests carry it. */
export function signProof(key: KeyBundle, proof: Uint8Array): string {
  return Buffer.from(key.sign(proof)).toString('base64url');
}

/** As above, with the key of credentials. */
export function signProofWith(creds: CredsFile, proof: Uint8Array): string {
  const key = userKeyOf(creds);
  try {
    return signProof(key, proof);
  } finally {
    key.wipe();
  }
}
