// createAccountJwt: signs account JWTs.
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { validatePublicKey } from '../nkeys/validate.js';
import {
  anything,
  bag,
  checkOptions,
  flag,
  flagOr,
  listOf,
  object,
  text,
  textOr,
  type Entries,
} from '../options/check-options.js';
import type { ScopedSigningKeyClaim } from './claims.js';
import { insteadOfClaims } from './decoded-claims.js';
import { encodeJwt } from './encode.js';
import { jwtOptionsError } from './options-error.js';
import {
  limitClaim,
  USER_LIMIT_ENTRIES,
  permissionClaims,
  userLimitClaims,
  type PermissionOptions,
  type UserLimitOptions,
} from './permission-options.js';
import { checkedRevocations } from './revocations.js';
import { wrongSigner } from './signer.js';
import { tagClaims } from './tags.js';
import { timeClaims, VALIDITY_ENTRIES, type ValidityOptions } from './validity.js';

/** A signing key whose users get their permissions and limits from this template, not from their JWT. */
export interface ScopedSigningKey extends UserLimitOptions {
  /** The signing key's public key (`A…`). */
  publicKey: string;
  /** A name for people. */
  role: string;
  description?: string | undefined;
  /** May contain templates such as `{{name()}}`, which the server fills in when a user connects. */
  permissions?: PermissionOptions | undefined;
}

/** Limits of an account; absent or -1: no limit. */
export interface AccountLimitOptions {
  /** Client connections. */
  connections?: number | undefined;
  /** Leaf node connections. */
  leafNodes?: number | undefined;
  imports?: number | undefined;
  exports?: number | undefined;
  /** Whether exports may contain wildcards; true by default. */
  wildcardExports?: boolean | undefined;
  /** Subscriptions. */
  subscriptions?: number | undefined;
  /** Bytes per message. */
  payload?: number | undefined;
  /** Total bytes. */
  data?: number | undefined;
  /** Refuse bearer tokens: users that connect with the JWT alone. */
  disallowBearer?: boolean | undefined;
}

/** JetStream limits of an account; absent or -1: no limit. */
export interface JetStreamLimitOptions {
  /** Bytes in memory. */
  memoryStorage?: number | undefined;
  /** Bytes on disk. */
  diskStorage?: number | undefined;
  /** Streams. */
  streams?: number | undefined;
  /** Consumers. */
  consumers?: number | undefined;
  /** The largest `max_ack_pending` of a consumer. */
  maxAckPending?: number | undefined;
  /** Bytes in memory per stream. */
  memoryMaxStreamBytes?: number | undefined;
  /** Bytes on disk per stream. */
  diskMaxStreamBytes?: number | undefined;
  /** Streams must set `max_bytes`. */
  maxBytesRequired?: boolean | undefined;
}

/** The options of an account JWT. */
export interface AccountJwtOptions extends ValidityOptions {
  name: string;
  description?: string | undefined;
  /** Signing keys: a public key (`A…`), whose users carry their own permissions, or a scoped one. */
  signingKeys?: readonly (string | ScopedSigningKey)[] | undefined;
  limits?: AccountLimitOptions | undefined;
  /** true: JetStream without limits; absent or false: no JetStream. */
  jetStream?: boolean | JetStreamLimitOptions | undefined;
  /** Default permissions of users whose JWT has none. Absent: everything is allowed. */
  defaultPermissions?: PermissionOptions | undefined;
  /**
   * Revocations: from public key (`U…`, or `*` for all) to a time in seconds since 1970; JWTs issued up to then are
   * revoked.
   */
  revocations?: Readonly<Record<string, number>> | undefined;
  /** As in the JWT. */
  imports?: readonly object[] | undefined;
  /** As in the JWT. */
  exports?: readonly object[] | undefined;
  /** Lower-cased and deduplicated. */
  tags?: readonly string[] | undefined;
}

const ACCOUNT_LIMITS = bag({
  connections: anything,
  leafNodes: anything,
  imports: anything,
  exports: anything,
  wildcardExports: flag,
  subscriptions: anything,
  payload: anything,
  data: anything,
  disallowBearer: flag,
} satisfies Entries<AccountLimitOptions>);

const JETSTREAM = bag({
  memoryStorage: anything,
  diskStorage: anything,
  streams: anything,
  consumers: anything,
  maxAckPending: anything,
  memoryMaxStreamBytes: anything,
  diskMaxStreamBytes: anything,
  maxBytesRequired: flag,
} satisfies Entries<JetStreamLimitOptions>);

const SCOPED_SIGNING_KEY = bag(
  {
    publicKey: text,
    role: text,
    description: text,
    permissions: anything,
    ...USER_LIMIT_ENTRIES,
  } satisfies Entries<ScopedSigningKey>,
  { required: ['publicKey', 'role'] },
);

/** @internal The options that both creating and revising an account accept. */
export const ACCOUNT_ENTRIES = {
  ...VALIDITY_ENTRIES,
  name: text,
  description: text,
  limits: ACCOUNT_LIMITS,
  jetStream: flagOr(JETSTREAM),
  defaultPermissions: anything,
  imports: listOf(object),
  exports: listOf(object),
  tags: anything,
};

const ACCOUNT_JWT = bag(
  {
    ...ACCOUNT_ENTRIES,
    signingKeys: listOf(textOr(SCOPED_SIGNING_KEY)),
    revocations: object,
  } satisfies Entries<AccountJwtOptions>,
  { required: ['name'], instead: insteadOfClaims('reviseAccountJwt()') },
);

/**
 * Creates an account JWT.
 *
 * @param account the account's key, or its public key
 * @param signer the operator's key or one of its signing keys; the account's own key creates a self-signed JWT, which
 *   no operator vouches for
 * @throws KeyError when a key has the wrong role; JwtError `ERR_JWT_OPTIONS`
 * @example
 * import { createAccountJwt, generateKeyBundle, peelLimits, peelPermissionsTemplate } from 'zester';
 *
 * const operator = generateKeyBundle('operator');
 * const account = generateKeyBundle('account');
 * const peelSigning = generateKeyBundle('account');
 * const accountJwt = createAccountJwt(account, operator, {
 *   name: 'fleet',
 *   jetStream: true,
 *   limits: { connections: 10_000 },
 *   signingKeys: [
 *     {
 *       publicKey: peelSigning.publicKey,
 *       role: 'peel',
 *       permissions: peelPermissionsTemplate(),
 *       ...peelLimits(),
 *     },
 *   ],
 * });
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
  checkOptions('createAccountJwt', options, ACCOUNT_JWT, jwtOptionsError);
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
        limits: withJetStream(
          withAccountLimits(NO_ACCOUNT_LIMITS, options.limits ?? {}),
          options.jetStream ?? false,
        ),
        ...(signingKeys?.length && { signing_keys: signingKeys.map(signingKeyClaim) }),
        ...(revocations && { revocations: checkedRevocations(revocations) }),
        default_permissions: permissionClaims(defaultPermissions),
        ...(tags && { tags: tagClaims(tags) }),
        type: 'account',
        version: 2,
      },
    },
    signer,
  );
}

/** A scoped signing key as in an account JWT. @throws KeyError, JwtError `ERR_JWT_OPTIONS` */
export function signingKeyClaim(key: string | ScopedSigningKey): string | ScopedSigningKeyClaim {
  if (typeof key === 'string') {
    validatePublicKey(key, 'account');
    return key;
  }
  checkOptions('a scoped signing key', key, SCOPED_SIGNING_KEY, jwtOptionsError);
  validatePublicKey(key.publicKey, 'account');
  return {
    kind: 'user_scope',
    key: key.publicKey,
    role: key.role,
    ...(key.description !== undefined && { description: key.description }),
    template: { ...permissionClaims(key.permissions), ...userLimitClaims(key) },
  };
}

/** The claim of each limit of an account, in output order. */
const LIMITS: Readonly<
  Record<Exclude<keyof AccountLimitOptions, 'wildcardExports' | 'disallowBearer'>, string>
> = {
  subscriptions: 'subs',
  data: 'data',
  payload: 'payload',
  imports: 'imports',
  exports: 'exports',
  connections: 'conn',
  leafNodes: 'leaf',
};

const JETSTREAM_LIMITS: Readonly<Record<Exclude<keyof JetStreamLimitOptions, 'maxBytesRequired'>, string>> = {
  memoryStorage: 'mem_storage',
  diskStorage: 'disk_storage',
  streams: 'streams',
  consumers: 'consumer',
  maxAckPending: 'max_ack_pending',
  memoryMaxStreamBytes: 'mem_max_stream_bytes',
  diskMaxStreamBytes: 'disk_max_stream_bytes',
};

function namedLimits<Name extends string>(
  limits: Readonly<Partial<Record<Name, number | undefined>>>,
  claims: Readonly<Record<Name, string>>,
): Record<string, number> {
  const named = Object.entries<string>(claims).filter(([name]) => limits[name as Name] !== undefined);
  return Object.fromEntries(named.map(([name, claim]) => [claim, limitClaim(limits[name as Name], name)]));
}

function noLimits(claims: Readonly<Record<string, string>>): Record<string, number> {
  return Object.fromEntries(Object.values(claims).map((claim) => [claim, -1]));
}

type LimitClaims = Readonly<Record<string, unknown>>;

/** @internal The limits of a new account. */
export const NO_ACCOUNT_LIMITS: LimitClaims = { ...noLimits(LIMITS), wildcards: true };

/**
 * @internal Applies changes to limits; unnamed limits, JetStream's included, stay.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`
 */
export function withAccountLimits(before: LimitClaims, limits: AccountLimitOptions): LimitClaims {
  const { wildcardExports, disallowBearer } = limits;
  return {
    ...before,
    ...namedLimits(limits, LIMITS),
    ...(wildcardExports !== undefined && { wildcards: wildcardExports }),
    ...(disallowBearer !== undefined && { disallow_bearer: disallowBearer || undefined }),
  };
}

/**
 * @internal Applies the JetStream option: `true` enables it without limits, `false` disables it, an object changes its
 *   limits.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`
 */
export function withJetStream(before: LimitClaims, jetStream: boolean | JetStreamLimitOptions): LimitClaims {
  const own = new Set([...Object.values(JETSTREAM_LIMITS), 'max_bytes_required', 'tiered_limits']);
  const others = Object.fromEntries(Object.entries(before).filter(([name]) => !own.has(name)));
  if (jetStream === false) return others;
  if (jetStream === true) return { ...others, ...noLimits(JETSTREAM_LIMITS) };
  const isEnabled = Object.entries(before).some(([name, value]) => own.has(name) && value !== undefined);
  const { maxBytesRequired } = jetStream;
  return {
    ...(isEnabled ? before : { ...others, ...noLimits(JETSTREAM_LIMITS) }),
    ...namedLimits(jetStream, JETSTREAM_LIMITS),
    ...(maxBytesRequired !== undefined && { max_bytes_required: maxBytesRequired || undefined }),
  };
}
