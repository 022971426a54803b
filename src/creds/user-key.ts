// The signing key of credentials.
import { loadKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import type { CredsFile } from './creds-file.js';

/** A copy of the credentials' key, which the caller must wipe. @throws KeyError */
export function userKeyOf(creds: CredsFile): KeyBundle {
  const { seed } = creds;
  try {
    return loadKeyBundle('user', seed);
  } finally {
    seed.fill(0);
  }
}
