// The key of credentials, to sign with.
import { loadKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import type { CredsFile } from './creds-file.js';

/** The key of credentials: a copy, which the caller wipes. @throws KeyError */
export function userKeyOf(creds: CredsFile): KeyBundle {
  const { seed } = creds;
  try {
    return loadKeyBundle('user', seed);
  } finally {
    seed.fill(0);
  }
}
