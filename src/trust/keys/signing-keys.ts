// Finds and edits scoped signing keys in account claims.
import { TrustError } from '../../errors.js';
import { signingKeyClaim, type ScopedSigningKey } from '../../jwt/account.js';
import type { AccountClaims, ScopedSigningKeyClaim } from '../../jwt/claims.js';
import { permissionClaims, userLimitClaims, type PermissionOptions } from '../../jwt/permission-options.js';
import {
  JOIN_ROLE,
  joinLimits,
  joinPermissionsTemplate,
  PEEL_ROLE,
  peelLimits,
  peelPermissionsTemplate,
} from '../../permissions/roles.js';
import { masterKeyKindOf } from '../../permissions/master-roles.js';
import { signingKeyOf } from '../create/adopt.js';
import type { AccountKeyKind } from '../paths.js';

/** The scoped signing key of peels in a new account. */
export function peelSigningKey(publicKey: string): ScopedSigningKey {
  return {
    publicKey,
    role: PEEL_ROLE,
    description: 'what every peel may do',
    permissions: peelPermissionsTemplate(),
    ...peelLimits(),
  };
}

/** The scoped signing key of join tokens; its template is the same in every account. */
export function joinSigningKey(publicKey: string): ScopedSigningKey {
  return {
    publicKey,
    role: JOIN_ROLE,
    description: 'what a join token may do',
    permissions: joinPermissionsTemplate(),
    ...joinLimits(),
  };
}

/**
 * Whether a user signed by this key may be a peel. A join token with a peel's name is not one, nor is a user signed by
 * the account's identity or an unscoped signing key: those are masters, admins and users of `bootstrapPeelCreds`.
 *
 * @param issuer the key that signed the user (`A…`)
 * @param peelSigningKey the home's peel signing key, for an adopted account whose role has another name than `peel`
 */
export function isPeelIssuer(account: AccountClaims, issuer: string, peelSigningKey?: string): boolean {
  const key = signingKeyOf(account, issuer);
  if (key === undefined || typeof key === 'string' || key.role === JOIN_ROLE) return false;
  if (key.role === PEEL_ROLE || key.key === peelSigningKey) return true;
  // a key from "zester keys add", or an older one
  const own = peelSigningKey === undefined ? undefined : signingKeyOf(account, peelSigningKey);
  return typeof own === 'object' && (own.role ?? '') !== '' && key.role === own.role;
}

/** Whether this key signs the account's join tokens. */
export function isJoinIssuer(account: AccountClaims, issuer: string): boolean {
  const key = signingKeyOf(account, issuer);
  return typeof key === 'object' && key.role === JOIN_ROLE;
}

/** Whether this key signs the account's masters. */
export function isMasterIssuer(account: AccountClaims, issuer: string): boolean {
  const key = signingKeyOf(account, issuer);
  return typeof key === 'object' && masterKeyKindOf(key.role) === 'master-signing';
}

/** Whether this key signs users of masters and admins. */
export function isOwnUserIssuer(account: AccountClaims, issuer: string): boolean {
  const key = signingKeyOf(account, issuer);
  return typeof key === 'object' && masterKeyKindOf(key.role) !== undefined;
}

/**
 * The kind of users that a signing key of the account signs; undefined: neither peels nor join tokens, or not a key of
 * the account.
 */
export function kindOfSigningKey(
  account: AccountClaims,
  publicKey: string,
  peelSigningKey: string,
): AccountKeyKind | undefined {
  if (isJoinIssuer(account, publicKey)) return 'join-signing';
  return isPeelIssuer(account, publicKey, peelSigningKey) ? 'peel-signing' : undefined;
}

/** The account's scoped signing key with this public key. @throws TrustError `ERR_TRUST_SIGNING_KEY` */
export function scopedKeyOf(home: string, claims: AccountClaims, publicKey: string): ScopedSigningKeyClaim {
  const key = signingKeyOf(claims, publicKey);
  if (key !== undefined && typeof key !== 'string') return key;
  throw new TrustError(
    'ERR_TRUST_SIGNING_KEY',
    home,
    `${publicKey} is ${key === undefined ? 'no' : 'no scoped'} signing key of the account ${claims.sub}: see "zester keys list"`,
  );
}

/**
 * Sets these permissions in the template of every scoped signing key with the same role as the given one, so that peels
 * signed by an old and by a new key have the same permissions. The limits of the templates stay.
 *
 * @throws TrustError, JwtError
 */
export function withTemplatePermissions(
  home: string,
  claims: AccountClaims,
  publicKey: string,
  permissions: PermissionOptions,
): AccountClaims {
  const { role } = scopedKeyOf(home, claims, publicKey);
  const granted = permissionClaims(permissions);
  return mapSigningKeys(claims, (key) => {
    if (typeof key === 'string' || (key.key !== publicKey && (role === undefined || key.role !== role))) {
      return key;
    }
    const template = { ...key.template };
    // drop permissions that the new ones lack
    delete template.pub;
    delete template.sub;
    delete template.resp;
    return { ...key, template: { ...template, ...granted } };
  });
}

/**
 * Sets the limits and connection types of a new template in every scoped signing key with the same role as the given
 * one. Other limits stay.
 *
 * @throws TrustError `ERR_TRUST_SIGNING_KEY`
 */
export function withDefaultLimits(home: string, claims: AccountClaims, publicKey: string): AccountClaims {
  const { role } = scopedKeyOf(home, claims, publicKey);
  const { payload, subs, allowed_connection_types: types } = userLimitClaims(peelLimits());
  return mapSigningKeys(claims, (key) =>
    typeof key === 'string' || (key.key !== publicKey && (role === undefined || key.role !== role))
      ? key
      : {
          ...key,
          template: {
            ...key.template,
            ...(payload !== undefined && { payload }),
            ...(subs !== undefined && { subs }),
            ...(types !== undefined && { allowed_connection_types: types }),
          },
        },
  );
}

/** Adds a scoped signing key with the template of another. @throws TrustError `ERR_TRUST_SIGNING_KEY`, KeyError */
export function withSigningKeyLike(
  home: string,
  claims: AccountClaims,
  like: string,
  publicKey: string,
): AccountClaims {
  signingKeyClaim(publicKey); // validates it
  return withSigningKeys(claims, [{ ...scopedKeyOf(home, claims, like), key: publicKey }]);
}

/** Adds signing keys that the caller has validated. */
export function withSigningKeys(
  claims: AccountClaims,
  added: readonly (string | ScopedSigningKeyClaim)[],
): AccountClaims {
  const keys = claims.nats.signing_keys ?? [];
  return { ...claims, nats: { ...claims.nats, signing_keys: [...keys, ...added] } };
}

/**
 * Removes a signing key from an account: users that it signed can no longer connect.
 *
 * @throws TrustError `ERR_TRUST_SIGNING_KEY`
 */
export function withoutAccountSigningKey(
  home: string,
  claims: AccountClaims,
  publicKey: string,
): AccountClaims {
  scopedKeyOf(home, claims, publicKey);
  const left = (claims.nats.signing_keys ?? []).filter(
    (key) => (typeof key === 'string' ? key : key.key) !== publicKey,
  );
  return { ...claims, nats: { ...claims.nats, signing_keys: left } };
}

function mapSigningKeys(
  claims: AccountClaims,
  map: (key: string | ScopedSigningKeyClaim) => string | ScopedSigningKeyClaim,
): AccountClaims {
  return { ...claims, nats: { ...claims.nats, signing_keys: (claims.nats.signing_keys ?? []).map(map) } };
}
