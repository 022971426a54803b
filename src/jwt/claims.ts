// The types of NATS JWT claims.
import * as v from 'valibot';
import { MAX_CLAIM_SECONDS } from './time.js';

/**
 * The claims of NATS JWTs, version 2, by their names on the wire. What comes from outside is checked against the
 * schemas below; fields that they do not know are kept.
 *
 * Source: the data model of github.com/nats-io/jwt/v2 (operator_claims.go, account_claims.go, user_claims.go).
 */

export interface Permission {
  allow?: string[];
  deny?: string[];
}

/** `ttl` is in nanoseconds, as Go's `time.Duration`. */
export interface ResponsePermission {
  max: number;
  ttl: number;
}

export interface Permissions {
  pub?: Permission;
  sub?: Permission;
  resp?: ResponsePermission;
}

export interface UserPermissionLimits extends Permissions {
  subs?: number;
  data?: number;
  payload?: number;
  src?: string[];
  times?: { start: string; end: string }[];
  times_location?: string;
  bearer_token?: boolean;
  /** Only through a trusted proxy; from nats-server 2.12. */
  proxy_required?: boolean;
  allowed_connection_types?: string[];
}

export interface NatsFields {
  type: string;
  version: number;
  tags?: string[];
}

export interface UserNats extends UserPermissionLimits, NatsFields {
  issuer_account?: string;
}

export interface ScopedSigningKeyClaim {
  kind: 'user_scope';
  key: string;
  role?: string;
  description?: string;
  template: UserPermissionLimits;
}

export interface AccountNats extends NatsFields {
  description?: string;
  info_url?: string;
  limits?: Record<string, unknown>;
  signing_keys?: (string | ScopedSigningKeyClaim)[];
  revocations?: Record<string, number>;
  default_permissions?: Permissions;
  imports?: unknown[];
  exports?: unknown[];
}

export interface OperatorNats extends NatsFields {
  signing_keys?: string[];
  account_server_url?: string;
  operator_service_urls?: string[];
  system_account?: string;
  strict_signing_key_usage?: boolean;
}

/** The claims that every NATS JWT has. Times are in seconds since 1970. */
export interface Claims<Nats> {
  jti?: string;
  iat: number;
  iss: string;
  sub: string;
  name?: string;
  aud?: string;
  /** Absent or 0: never. */
  exp?: number;
  nbf?: number;
  nats: Nats;
}

export type OperatorClaims = Claims<OperatorNats>;
export type AccountClaims = Claims<AccountNats>;
export type UserClaims = Claims<UserNats>;

/** The types of JWT that Zester reads. */
export type ClaimType = 'operator' | 'account' | 'user';

/** Go takes null for "absent", and writes an empty list or map as null in some places. */
function optional<T extends v.GenericSchema>(schema: T) {
  return v.optional(
    v.pipe(
      v.nullish(schema),
      v.transform((value) => value ?? undefined),
    ),
  );
}

// a list is an object to valibot, and would pass for one without any of the known fields
const notList = v.pipe(
  v.unknown(),
  v.check((value) => !Array.isArray(value), 'Invalid type: Expected Object but received Array'),
);
function object<T extends v.ObjectEntries>(entries: T) {
  return v.pipe(notList, v.looseObject(entries));
}
function map<T extends v.GenericSchema>(values: T) {
  return v.pipe(notList, v.record(v.string(), values));
}

const seconds = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(MAX_CLAIM_SECONDS, 'a time after the year 9999'),
);
const count = v.pipe(v.number(), v.integer());
const strings = optional(v.array(v.string()));
/** Go takes a list of networks also as one string, with commas. Source: jwt/v2, types.go (`CIDRList`). */
const networks = optional(
  v.union([
    v.array(v.string()),
    v.pipe(
      v.string(),
      v.transform((list) => [
        ...new Set(
          list
            .toLowerCase()
            .split(',')
            .map((network) => network.trim())
            .filter((network) => network !== ''),
        ),
      ]),
    ),
  ]),
);
const zeroIfAbsent = v.pipe(
  v.nullish(count),
  v.transform((value) => value ?? 0),
);
/** In a template, unlike in a user JWT, servers take an absent limit for none. Source: jwt/v2, `NewUserScope`. */
const noneIfAbsent = v.optional(
  v.pipe(
    v.nullish(count),
    v.transform((value) => value ?? -1),
  ),
  -1,
);
const permission = optional(object({ allow: strings, deny: strings }));
const permissions = {
  pub: permission,
  sub: permission,
  resp: optional(object({ max: v.optional(zeroIfAbsent, 0), ttl: v.optional(zeroIfAbsent, 0) })),
};
const userPermissionLimits = {
  ...permissions,
  subs: optional(count),
  data: optional(count),
  payload: optional(count),
  src: networks,
  times: optional(v.array(object({ start: v.string(), end: v.string() }))),
  times_location: optional(v.string()),
  bearer_token: optional(v.boolean()),
  proxy_required: optional(v.boolean()),
  allowed_connection_types: strings,
};
const natsFields = { type: v.string(), version: v.number(), tags: strings };

const common = {
  jti: optional(v.string()),
  iat: v.optional(
    v.pipe(
      v.nullish(seconds),
      v.transform((value) => value ?? 0),
    ),
    0,
  ),
  iss: v.string(),
  sub: v.string(),
  name: optional(v.string()),
  aud: optional(v.string()),
  exp: optional(seconds),
  nbf: optional(seconds),
};

const accountLimits = {
  ...Object.fromEntries(
    [
      ...['subs', 'data', 'payload', 'imports', 'exports', 'conn', 'leaf'],
      ...['mem_storage', 'disk_storage', 'streams', 'consumer', 'max_ack_pending'],
      ...['mem_max_stream_bytes', 'disk_max_stream_bytes'],
    ].map((name) => [name, optional(count)]),
  ),
  wildcards: optional(v.boolean()),
  disallow_bearer: optional(v.boolean()),
  max_bytes_required: optional(v.boolean()),
};

const scopedSigningKey = object({
  kind: v.literal('user_scope'),
  key: v.string(),
  role: optional(v.string()),
  description: optional(v.string()),
  // without one a server lets the key's users do everything, which nobody means who scopes a key
  template: object({
    ...userPermissionLimits,
    subs: noneIfAbsent,
    data: noneIfAbsent,
    payload: noneIfAbsent,
  }),
});

/** @internal One schema a type. */
export const claimsSchema = {
  operator: object({
    ...common,
    nats: object({
      ...natsFields,
      signing_keys: strings,
      account_server_url: optional(v.string()),
      operator_service_urls: strings,
      system_account: optional(v.string()),
      strict_signing_key_usage: optional(v.boolean()),
    }),
  }),
  account: object({
    ...common,
    nats: object({
      ...natsFields,
      limits: optional(object(accountLimits)),
      signing_keys: optional(
        v.array(v.lazy((key): v.GenericSchema => (typeof key === 'string' ? v.string() : scopedSigningKey))),
      ),
      revocations: optional(map(zeroIfAbsent)),
      default_permissions: optional(object(permissions)),
      imports: optional(v.array(v.unknown())),
      exports: optional(v.array(v.unknown())),
    }),
  }),
  user: object({
    ...common,
    nats: object({ ...natsFields, ...userPermissionLimits, issuer_account: optional(v.string()) }),
  }),
} satisfies Record<ClaimType, v.GenericSchema>;
