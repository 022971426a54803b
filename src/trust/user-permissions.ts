// The effective permissions of a user.
import { JwtChainError } from '../errors.js';
import type { AccountClaims, Permissions, UserClaims, UserPermissionLimits } from '../jwt/claims.js';
import { decodeAccountJwt } from '../jwt/decode.js';
import { isScopedUser } from '../jwt/scoped.js';
import { expandTemplate, type LintSubject } from '../permissions/lint.js';
import { adminOfUserName } from '../permissions/admin-names.js';
import { ADMIN_NAME, MASTER_ANSWERS_NAME, MASTER_NAME, SYSTEM_NAME } from '../permissions/names.js';
import { signingKeyOf } from './create/adopt.js';

/** The names of users that manage peels. */
const RESERVED_NAMES: readonly string[] = [MASTER_NAME, MASTER_ANSWERS_NAME, ADMIN_NAME, SYSTEM_NAME];

/** The user whose permissions are linted. */
export function lintSubjectOf(claims: UserClaims): LintSubject {
  const name = claims.name ?? '';
  return {
    name,
    role: RESERVED_NAMES.includes(name) || adminOfUserName(name) !== undefined ? 'other' : 'peel',
  };
}

/** The template of a scoped signing key; undefined: the account has no such key, or it has no scope. */
export function templateOf(account: AccountClaims, publicKey: string): UserPermissionLimits | undefined {
  const key = signingKeyOf(account, publicKey);
  return key === undefined || typeof key === 'string' ? undefined : key.template;
}

/**
 * The effective permissions of a user: from its JWT, from its scoped signing key's template with the user's name filled
 * in, or from the account's defaults.
 *
 * @param accountJwt required for a scoped user; without it, an ordinary user has only its own permissions
 * @param path the source of the user's JWT, for the error
 * @throws JwtChainError when the account lacks the key that signed a scoped user
 */
export function userPermissions(
  claims: UserClaims,
  accountJwt: string | undefined,
  path: string,
): Permissions {
  const { pub, sub, resp } = claims.nats;
  const account = accountJwt === undefined ? undefined : decodeAccountJwt(accountJwt);
  if (isScopedUser(claims)) {
    const template = account && templateOf(account, claims.iss);
    if (template === undefined) {
      throw new JwtChainError(
        'user',
        'ERR_CHAIN_USER_ISSUER',
        `${path} is signed by ${claims.iss}, and the account JWT has no such scoped signing key: give the JWT of ` +
          'its account',
      );
    }
    return expandTemplate(template, claims.name ?? '', claims.sub);
  }
  if (pub === undefined && sub === undefined && resp === undefined && account?.nats.default_permissions) {
    return account.nats.default_permissions;
  }
  return { ...(pub && { pub }), ...(sub && { sub }), ...(resp && { resp }) };
}
