// createUserJwt: signs user JWTs.
import { JwtError } from '../errors.js';
import { KeyBundle } from '../nkeys/key-bundle.js';
import { validatePublicKey } from '../nkeys/validate.js';
import { anything, bag, checkOptions, flag, number, text, type Entries } from '../options/check-options.js';
import type { UserNats } from './claims.js';
import { insteadOfClaims } from './decoded-claims.js';
import { encodeJwt } from './encode.js';
import { jwtOptionsError } from './options-error.js';
import {
  namedUserLimits,
  permissionClaims,
  USER_LIMIT_ENTRIES,
  userLimitClaims,
  type PermissionOptions,
  type UserLimitOptions,
} from './permission-options.js';
import { wrongSigner } from './signer.js';
import { tagClaims } from './tags.js';
import { timeClaims, VALIDITY_ENTRIES, type ValidityOptions } from './validity.js';
import { noteSigned } from './verified.js';

/** The options of a user JWT. */
export interface UserJwtOptions extends ValidityOptions, UserLimitOptions {
  /** The value of `{{name()}}` in templates; for a peel, its ID. */
  name: string;
  /**
   * The permissions of the user (not with `scoped`); absent: the account's default permissions, and without those
   * everything.
   */
  permissions?: PermissionOptions | undefined;
  /**
   * The account (`A…`) of the user. Required if the signer is a signing key; omitted from the JWT if the signer is the
   * account's own key.
   */
  issuerAccount?: string | undefined;
  /** The signer is a *scoped* signing key: its template, not the JWT, has the permissions and limits. */
  scoped?: boolean | undefined;
  /** Lower-cased and deduplicated. */
  tags?: readonly string[] | undefined;
  /**
   * Maximum size of the JWT in bytes; {@link MAX_USER_JWT_BYTES} by default, `Infinity` for a server configured for
   * more.
   */
  maxBytes?: number | undefined;
}

const USER_JWT = bag(
  {
    ...VALIDITY_ENTRIES,
    ...USER_LIMIT_ENTRIES,
    name: text,
    permissions: anything,
    issuerAccount: text,
    scoped: flag,
    tags: anything,
    maxBytes: number,
  } satisfies Entries<UserJwtOptions>,
  { required: ['name'], instead: insteadOfClaims('reviseUserJwt()') },
);

/**
 * The size of a user JWT that fits a CONNECT line with the server's default `max_control_line` (4096 bytes): 512 bytes
 * are reserved for the rest of the line (nkey, signature, the connection's name and the client's own fields).
 *
 * Source: docs/nats-facts.md, 12.
 */
export const MAX_USER_JWT_BYTES = 4096 - 512;

/**
 * Creates a user JWT.
 *
 * @param user the user's key
 * @param signer the account's key, or one of its signing keys (then `options.issuerAccount` is required)
 * @throws KeyError when a key has the wrong role; JwtError `ERR_JWT_TOO_LARGE`, `ERR_JWT_OPTIONS`
 * @example
 * import { createUserJwt, generateKeyBundle, writeCredsFile } from 'zester';
 *
 * const account = generateKeyBundle('account');
 * const user = generateKeyBundle('user');
 * const jwt = createUserJwt(user, account, {
 *   name: 'billing',
 *   expirySeconds: 86_400,
 *   permissions: { publish: { allow: ['billing.>'] }, subscribe: { allow: ['_INBOX.billing.>'] } },
 * });
 * await writeCredsFile('billing.creds', jwt, user.seed);
 */
export function createUserJwt(user: KeyBundle, signer: KeyBundle, options: UserJwtOptions): string {
  if (user.role !== 'user') throw wrongSigner('user JWT', user, 'user');
  checkOptions('createUserJwt', options, USER_JWT, jwtOptionsError);
  return encodeUserJwt(user.publicKey, signer, options);
}

/**
 * Like {@link createUserJwt}, for a user whose seed is elsewhere.
 *
 * @param publicKey the user's public key (`U…`)
 * @param signer as in {@link createUserJwt}
 * @throws as {@link createUserJwt}
 * @example
 * import { createUserJwtForPublicKey, generateKeyBundle, peelUserJwtOptions } from 'zester';
 *
 * // on the host: the seed stays there, the public key is sent
 * const { publicKey } = generateKeyBundle('user');
 *
 * const account = generateKeyBundle('account');
 * const options = peelUserJwtOptions('web-01', account.publicKey, { expirySeconds: 86_400 });
 * const jwt = createUserJwtForPublicKey(publicKey, account, options);
 */
export function createUserJwtForPublicKey(
  publicKey: string,
  signer: KeyBundle,
  options: UserJwtOptions,
): string {
  validatePublicKey(publicKey, 'user');
  checkOptions('createUserJwtForPublicKey', options, USER_JWT, jwtOptionsError);
  return encodeUserJwt(publicKey, signer, options);
}

/**
 * @internal Like {@link createUserJwtForPublicKey}, for a checked key and checked options: bulk issuance checks them
 *   once.
 */
export function encodeUserJwt(publicKey: string, signer: KeyBundle, options: UserJwtOptions): string {
  if (signer.role !== 'account') throw wrongSigner('user JWT', signer, 'account');
  // assign here and below instead of literals with spreads: V8 creates new hidden classes for each of those, and
  // collecting that garbage costs more than the rest of a token
  const own = { sub: publicKey, name: options.name, nats: userNats(signer, options) };
  const jwt = encodeJwt(Object.assign(timeClaims(options), own), signer);
  checkUserJwtSize(jwt, options.name, options.maxBytes);
  // a lookalike of a key may have signed with a different key than it claims
  if (KeyBundle.isGenuine(signer)) noteSigned(jwt, signer.publicKey, publicKey);
  return jwt;
}

/** @internal @throws JwtError `ERR_JWT_TOO_LARGE` */
export function checkUserJwtSize(jwt: string, name: string, maxBytes = MAX_USER_JWT_BYTES): void {
  if (jwt.length <= maxBytes) return;
  throw new JwtError(
    'ERR_JWT_TOO_LARGE',
    `the JWT of "${name}" has ${jwt.length} bytes, more than the ${maxBytes} that fit a server's default ` +
      `max_control_line: grant fewer subjects, or sign with a scoped signing key`,
  );
}

function userNats(signer: KeyBundle, options: UserJwtOptions): UserNats {
  const { issuerAccount, tags } = options;
  const isSigningKey = issuerAccount !== undefined && issuerAccount !== signer.publicKey;
  if (isSigningKey) validatePublicKey(issuerAccount, 'account');
  const named: Pick<UserNats, 'issuer_account' | 'tags'> = {};
  if (isSigningKey) named.issuer_account = issuerAccount;
  if (tags) named.tags = tagClaims(tags);
  const base = Object.assign(named, { type: 'user', version: 2 } as const);
  if (options.scoped !== true) {
    return Object.assign(permissionClaims(options.permissions), userLimitClaims(options), base);
  }
  if (!isSigningKey) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      `a scoped user is signed by a signing key: give issuerAccount, the account that ${signer.publicKey} signs for`,
    );
  }
  if (Object.keys(namedUserLimits(options)).length > 0 || options.permissions !== undefined) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      `"${options.name}" is scoped: its permissions and limits are in the signing key's template; give none here`,
    );
  }
  return base;
}
