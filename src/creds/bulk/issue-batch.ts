import { createUserJwt } from '../../jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../../nkeys/key-bundle.js';
import { formatCreds } from '../format.js';
import { jwtOptionsOf, type IssuePlan } from './issue-options.js';

/** The new credentials of one peel. */
export interface PeelCredential {
  peelId: string;
  /** The user's public key (`U…`). */
  publicKey: string;
  jwt: string;
  /** The bytes of its `.creds` file. They hold the seed, so they are the caller's to keep safe and to wipe. */
  content: Uint8Array;
}

/**
 * Makes the credentials of some peels: for each a new key, its JWT, and the bytes of its file.
 *
 * @param nowMs when they are issued, in milliseconds since 1970
 * @throws PeelIdError, KeyError, JwtError
 */
export function issueBatch(
  ids: readonly string[],
  signer: KeyBundle,
  plan: IssuePlan,
  nowMs: number,
): PeelCredential[] {
  return ids.map((peelId) => {
    const options = jwtOptionsOf(plan, peelId, nowMs);
    const user = generateKeyBundle('user');
    const jwt = createUserJwt(user, signer, options);
    const seed = user.seed;
    const content = formatCreds(jwt, seed);
    seed.fill(0);
    user.wipe();
    return { peelId, publicKey: user.publicKey, jwt, content };
  });
}
