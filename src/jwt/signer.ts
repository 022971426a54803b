// The error for a signing key with the wrong role.
import { KeyError } from '../errors.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { withArticle } from '../nkeys/roles.js';

/** @param wanted the required role, or a description of the key */
export function wrongSigner(what: string, given: KeyBundle, wanted: string): KeyError {
  return new KeyError(
    'ERR_KEY_ROLE',
    `${withArticle(what)} needs ${withArticle(wanted)} key; ${given.publicKey} is ${withArticle(given.role)}'s`,
  );
}
