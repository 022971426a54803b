import * as v from 'valibot';

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

// Go writes an empty list or map as null in some places; it means the same as an absent one.
function nullable<T extends v.GenericSchema>(schema: T) {
  return v.optional(
    v.union([
      schema,
      v.pipe(
        v.null(),
        v.transform(() => undefined),
      ),
    ]),
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

const seconds = v.pipe(v.number(), v.integer(), v.minValue(0));
const strings = nullable(v.array(v.string()));
const permission = nullable(object({ allow: strings, deny: strings }));
const permissions = {
  pub: permission,
  sub: permission,
  resp: nullable(object({ max: v.number(), ttl: v.number() })),
};
const userPermissionLimits = {
  ...permissions,
  subs: v.optional(v.number()),
  data: v.optional(v.number()),
  payload: v.optional(v.number()),
  src: nullable(v.array(v.string())),
  times: nullable(v.array(object({ start: v.string(), end: v.string() }))),
  times_location: v.optional(v.string()),
  bearer_token: v.optional(v.boolean()),
  allowed_connection_types: strings,
};
const natsFields = { type: v.string(), version: v.number(), tags: strings };

const common = {
  jti: v.optional(v.string()),
  iat: seconds,
  iss: v.string(),
  sub: v.string(),
  name: v.optional(v.string()),
  aud: v.optional(v.string()),
  exp: v.optional(seconds),
  nbf: v.optional(seconds),
};

const scopedSigningKey = object({
  kind: v.literal('user_scope'),
  key: v.string(),
  role: v.optional(v.string()),
  description: v.optional(v.string()),
  template: object(userPermissionLimits),
});

/** @internal One schema a type. */
export const claimsSchema = {
  operator: object({
    ...common,
    nats: object({
      ...natsFields,
      signing_keys: strings,
      account_server_url: v.optional(v.string()),
      operator_service_urls: strings,
      system_account: v.optional(v.string()),
      strict_signing_key_usage: v.optional(v.boolean()),
    }),
  }),
  account: object({
    ...common,
    nats: object({
      ...natsFields,
      limits: nullable(map(v.unknown())),
      signing_keys: nullable(v.array(v.union([v.string(), scopedSigningKey]))),
      revocations: nullable(map(v.number())),
      default_permissions: nullable(object(permissions)),
      imports: nullable(v.array(v.unknown())),
      exports: nullable(v.array(v.unknown())),
    }),
  }),
  user: object({
    ...common,
    nats: object({ ...natsFields, ...userPermissionLimits, issuer_account: v.optional(v.string()) }),
  }),
} satisfies Record<ClaimType, v.GenericSchema>;
