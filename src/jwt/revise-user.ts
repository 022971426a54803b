// reviseUserJwt: re-signs a user JWT with changes.
import * as v from 'valibot';
import { anything, bag, checkOptions, number, text, type Entries } from '../options/check-options.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import type { UserClaims } from './claims.js';
import { accountOf } from './account-of.js';
import { decodeUserJwt } from './decode.js';
import { jwtOptionsError } from './options-error.js';
import {
  namedUserLimits,
  permissionClaims,
  USER_LIMIT_ENTRIES,
  type PermissionOptions,
  type UserLimitOptions,
} from './permission-options.js';
import { resign } from './resign.js';
import { refuseSeeds, REVISION_ENTRIES, withRevision, type Revision } from './revise.js';
import { isScopedUser } from './scoped.js';
import { wrongSigner } from './signer.js';
import { checkUserJwtSize } from './user.js';

/** Changes to a user JWT. Everything else is kept, including claims that Zester does not know. */
export interface UserRevision extends Revision, UserLimitOptions {
  /** Replaces the current permissions; null: none. */
  permissions?: PermissionOptions | null | undefined;
  /** Maximum size of the JWT in bytes, as in `createUserJwt`. */
  maxBytes?: number | undefined;
}

const USER_REVISION = bag({
  ...REVISION_ENTRIES,
  ...USER_LIMIT_ENTRIES,
  name: text,
  permissions: v.nullable(anything),
  maxBytes: number,
} satisfies Entries<UserRevision>);

/**
 * Re-signs a user JWT with changed claims, such as a new expiry; every other claim keeps its text. The user keeps its
 * key, and its previous JWT stays valid until it expires or the user is revoked.
 *
 * @param signer the key that signed it, or the account's own key. It does not check whether the account still has this
 *   signing key: `validateJwtChain` does
 * @throws KeyError `ERR_KEY_ROLE` for a key that may not sign it; JwtError `ERR_JWT_OPTIONS`, `ERR_JWT_TOO_LARGE`, and
 *   as `decodeUserJwt`
 * @example
 * import { generateFullHierarchy, reviseUserJwt } from 'zester';
 *
 * const { userJwt, account } = generateFullHierarchy('example.com', 'fleet', 'alice');
 * const revised = reviseUserJwt(userJwt, account, { expirySeconds: 86_400 });
 */
export function reviseUserJwt(jwt: string, signer: KeyBundle, revision: UserRevision): string {
  checkOptions('reviseUserJwt', revision, USER_REVISION, jwtOptionsError);
  refuseSeeds(revision);
  const claims = decodeUserJwt(jwt);
  if (signer.publicKey !== claims.iss && (signer.publicKey !== accountOf(claims) || isScopedUser(claims))) {
    throw wrongSigner('user JWT', signer, `the account or signing key ${claims.iss}`);
  }
  const next = resign(jwt, claims, signer, (before) => revised(before, revision), revision.now);
  checkUserJwtSize(next, revision.name ?? claims.name ?? claims.sub, revision.maxBytes);
  return next;
}

function revised(claims: UserClaims, revision: UserRevision): UserClaims {
  const { permissions, bearer } = revision;
  const limits = {
    ...namedUserLimits(revision),
    ...(bearer === false && { bearer_token: undefined }),
  };
  if (isScopedUser(claims) && (Object.keys(limits).length > 0 || permissions !== undefined)) {
    throw jwtOptionsError(
      `"${claims.name ?? claims.sub}" is scoped: its permissions and limits are in the signing key's template; give none here`,
    );
  }
  const next = withRevision(claims, revision);
  const own = permissions === undefined ? {} : { pub: undefined, sub: undefined, resp: undefined };
  const nats = { ...next.nats, ...own, ...permissionClaims(permissions ?? undefined), ...limits };
  return { ...next, nats: nats as UserClaims['nats'] };
}
