import { TrustError } from '../errors.js';
import { signingKeyClaim } from '../jwt/account.js';
import type { AccountClaims, OperatorClaims, ScopedSigningKeyClaim } from '../jwt/claims.js';
import { permissionClaims, type PermissionOptions } from '../jwt/permission-options.js';
import { signingKeyOf } from './adopt.js';

/** The scoped signing key of an account that has this public key. @throws TrustError `ERR_TRUST_SIGNING_KEY` */
export function scopedKeyOf(home: string, claims: AccountClaims, publicKey: string): ScopedSigningKeyClaim {
  const key = signingKeyOf(claims, publicKey);
  if (key !== undefined && typeof key !== 'string') return key;
  throw new TrustError(
    'ERR_TRUST_SIGNING_KEY',
    home,
    `${publicKey} is ${key === undefined ? 'no' : 'no scoped'} signing key of the account ${claims.sub}: "zester keys list" shows them`,
  );
}

/**
 * Puts these permissions into the template of every scoped signing key with the same role as the one named, so that
 * peels signed by an old and by a new key may do the same. The limits of the templates stay.
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
    // what is absent now must not stay from before
    delete template.pub;
    delete template.sub;
    delete template.resp;
    return { ...key, template: { ...template, ...granted } };
  });
}

/** Adds a scoped signing key with the template of another. @throws TrustError `ERR_TRUST_SIGNING_KEY`, KeyError */
export function withSigningKeyLike(
  home: string,
  claims: AccountClaims,
  like: string,
  publicKey: string,
): AccountClaims {
  signingKeyClaim(publicKey); // checks it
  const added = { ...scopedKeyOf(home, claims, like), key: publicKey };
  return {
    ...claims,
    nats: { ...claims.nats, signing_keys: [...(claims.nats.signing_keys ?? []), added] },
  };
}

/** Takes a signing key out of an account: what it signed ends. @throws TrustError `ERR_TRUST_SIGNING_KEY` */
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

/** Adds a signing key to an operator, or takes one away. */
export function withOperatorSigningKeys(
  claims: OperatorClaims,
  change: (keys: readonly string[]) => readonly string[],
): OperatorClaims {
  return { ...claims, nats: { ...claims.nats, signing_keys: [...change(claims.nats.signing_keys ?? [])] } };
}

function mapSigningKeys(
  claims: AccountClaims,
  map: (key: string | ScopedSigningKeyClaim) => string | ScopedSigningKeyClaim,
): AccountClaims {
  return { ...claims, nats: { ...claims.nats, signing_keys: (claims.nats.signing_keys ?? []).map(map) } };
}
