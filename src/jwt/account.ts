import { JwtError } from '../errors.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { isPublicKey, validatePublicKey } from '../nkeys/validate.js';
import type { ScopedSigningKeyClaim } from './claims.js';
import { encodeJwt } from './encode.js';
import {
  limitClaim,
  permissionClaims,
  userLimitClaims,
  type PermissionOptions,
  type UserLimitOptions,
} from './permission-options.js';
import { wrongSigner } from './signer.js';
import { timeClaims, type ValidityOptions } from './time.js';

/** A signing key whose users get their permissions and limits from this template, not from their JWT. */
export interface ScopedSigningKey extends UserLimitOptions {
  /** The signing key's public key (`A…`). */
  publicKey: string;
  /** A name for people. */
  role: string;
  description?: string;
  /** May hold templates such as `{{name()}}`, which the server fills in when a user connects. */
  permissions?: PermissionOptions;
}

/** Bounds on an account; absent or -1: none. */
export interface AccountLimitOptions {
  connections?: number;
  leafNodes?: number;
  imports?: number;
  exports?: number;
  /** Whether exports may hold wildcards; true by default. */
  wildcardExports?: boolean;
  subscriptions?: number;
  payload?: number;
  data?: number;
  /** Refuse users whose token alone is enough to connect. */
  disallowBearer?: boolean;
}

/** Bounds on an account's JetStream in bytes and numbers; absent or -1: none. */
export interface JetStreamLimitOptions {
  memoryStorage?: number;
  diskStorage?: number;
  streams?: number;
  consumers?: number;
  maxAckPending?: number;
  memoryMaxStreamBytes?: number;
  diskMaxStreamBytes?: number;
  maxBytesRequired?: boolean;
}

/** What an account JWT says. */
export interface AccountJwtOptions extends ValidityOptions {
  name: string;
  description?: string;
  /** Signing keys: a public key (`A…`), whose users carry their own permissions, or a scoped one. */
  signingKeys?: readonly (string | ScopedSigningKey)[];
  limits?: AccountLimitOptions;
  /** true: JetStream without limits; absent or false: no JetStream. */
  jetStream?: boolean | JetStreamLimitOptions;
  /** For users whose JWT names no permissions. Absent: everything is allowed. */
  defaultPermissions?: PermissionOptions;
  /** Public key (`U…`, or `*` for all) to the time, in seconds since 1970, up to which what was issued is revoked. */
  revocations?: Readonly<Record<string, number>>;
  /** As they stand in the JWT. */
  imports?: readonly object[];
  /** As they stand in the JWT. */
  exports?: readonly object[];
  tags?: readonly string[];
}

/**
 * Makes an account JWT.
 *
 * @param account the account's key, or its public key
 * @param signer the operator's key or a signing key of it; the account's own makes a self-signed one, which no operator
 *   vouches for
 * @throws KeyError when a key is not of its role; JwtError `ERR_JWT_OPTIONS`
 */
export function createAccountJwt(
  account: KeyBundle | string,
  signer: KeyBundle,
  options: AccountJwtOptions,
): string {
  const publicKey = typeof account === 'string' ? account : account.publicKey;
  validatePublicKey(publicKey, 'account');
  if (signer.role !== 'operator' && signer.publicKey !== publicKey) {
    throw wrongSigner('account JWT', signer, 'operator');
  }
  const { description, signingKeys, defaultPermissions, revocations, tags } = options;
  return encodeJwt(
    {
      ...timeClaims(options),
      sub: publicKey,
      name: options.name,
      nats: {
        ...(description !== undefined && { description }),
        ...(options.imports && { imports: [...options.imports] }),
        ...(options.exports && { exports: [...options.exports] }),
        limits: {
          ...accountLimitClaims(options.limits ?? {}),
          ...jetStreamClaims(options.jetStream ?? false),
        },
        ...(signingKeys?.length && { signing_keys: signingKeys.map(signingKeyClaim) }),
        ...(revocations && { revocations: checkedRevocations(revocations) }),
        default_permissions: permissionClaims(defaultPermissions),
        ...(tags && { tags: [...tags] }),
        type: 'account',
        version: 2,
      },
    },
    signer,
  );
}

/** A scoped signing key as it stands in an account JWT. @throws KeyError, JwtError `ERR_JWT_OPTIONS` */
export function signingKeyClaim(key: string | ScopedSigningKey): string | ScopedSigningKeyClaim {
  if (typeof key === 'string') {
    validatePublicKey(key, 'account');
    return key;
  }
  validatePublicKey(key.publicKey, 'account');
  return {
    kind: 'user_scope',
    key: key.publicKey,
    role: key.role,
    ...(key.description !== undefined && { description: key.description }),
    template: { ...permissionClaims(key.permissions), ...userLimitClaims(key) },
  };
}

function accountLimitClaims(limits: AccountLimitOptions): object {
  return {
    subs: limitClaim(limits.subscriptions, 'subscriptions'),
    data: limitClaim(limits.data, 'data'),
    payload: limitClaim(limits.payload, 'payload'),
    imports: limitClaim(limits.imports, 'imports'),
    exports: limitClaim(limits.exports, 'exports'),
    wildcards: limits.wildcardExports ?? true,
    conn: limitClaim(limits.connections, 'connections'),
    leaf: limitClaim(limits.leafNodes, 'leafNodes'),
    ...(limits.disallowBearer === true && { disallow_bearer: true }),
  };
}

function jetStreamClaims(jetStream: boolean | JetStreamLimitOptions): object {
  if (jetStream === false) return {};
  const limits = jetStream === true ? {} : jetStream;
  return {
    mem_storage: limitClaim(limits.memoryStorage, 'memoryStorage'),
    disk_storage: limitClaim(limits.diskStorage, 'diskStorage'),
    streams: limitClaim(limits.streams, 'streams'),
    consumer: limitClaim(limits.consumers, 'consumers'),
    max_ack_pending: limitClaim(limits.maxAckPending, 'maxAckPending'),
    mem_max_stream_bytes: limitClaim(limits.memoryMaxStreamBytes, 'memoryMaxStreamBytes'),
    disk_max_stream_bytes: limitClaim(limits.diskMaxStreamBytes, 'diskMaxStreamBytes'),
    ...(limits.maxBytesRequired === true && { max_bytes_required: true }),
  };
}

function checkedRevocations(revocations: Readonly<Record<string, number>>): Record<string, number> {
  for (const [key, time] of Object.entries(revocations)) {
    if (key !== '*' && !isPublicKey(key, 'user')) {
      throw new JwtError(
        'ERR_JWT_OPTIONS',
        `cannot revoke "${key}": it is not a user's public key, nor * for all`,
      );
    }
    if (!Number.isSafeInteger(time) || time < 0) {
      throw new JwtError(
        'ERR_JWT_OPTIONS',
        `the revocation of ${key} is at ${time}: give whole seconds since 1970`,
      );
    }
  }
  return { ...revocations };
}
