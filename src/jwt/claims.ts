// The types of NATS JWT claims.
//
// These are the claims of NATS JWTs, version 2, by their names on the wire. `forms/` checks outside input; unknown
// claims are kept. Source: the data model of github.com/nats-io/jwt/v2 (operator_claims.go, account_claims.go,
// user_claims.go).

/** Subjects that a claim allows and denies. */
export interface Permission {
  /** Absent: everything that is not denied is allowed. */
  allow?: string[];
  deny?: string[];
}

/** Permission to answer requests on any reply subject. */
export interface ResponsePermission {
  /** Answers per request; -1: any number. */
  max: number;
  /** Time limit for answering a request, in nanoseconds, as Go's `time.Duration`; -1: none. */
  ttl: number;
}

/** Publish and subscribe permissions of a user, as claims. */
export interface Permissions {
  pub?: Permission;
  sub?: Permission;
  resp?: ResponsePermission;
}

/** The permissions and limits of a user, as claims. -1 means no limit. */
export interface UserPermissionLimits extends Permissions {
  /** Subscriptions. */
  subs?: number;
  /** Total bytes. */
  data?: number;
  /** Bytes per message. */
  payload?: number;
  /** Allowed source networks in CIDR notation. */
  src?: string[];
  /** Times of day when connections are allowed, `HH:MM:SS`. */
  times?: { start: string; end: string }[];
  /** The time zone of `times`. */
  times_location?: string;
  /** A bearer token: the JWT alone is enough to connect. */
  bearer_token?: boolean;
  /** Connect only through a trusted proxy; since nats-server 2.12. */
  proxy_required?: boolean;
  allowed_connection_types?: string[];
}

/** The common part of the `nats` claim. */
export interface NatsFields {
  /** `operator`, `account` or `user`. */
  type: string;
  /** 2. */
  version: number;
  /** In lower case. */
  tags?: string[];
}

/** The `nats` claim of a user JWT. */
export interface UserNats extends UserPermissionLimits, NatsFields {
  /** The account (`A…`), if one of its signing keys signed the JWT. */
  issuer_account?: string;
}

/** A scoped signing key in an account JWT: its users have the permissions and limits of its template. */
export interface ScopedSigningKeyClaim {
  kind: 'user_scope';
  /** The public key (`A…`). */
  key: string;
  role?: string;
  description?: string;
  template: UserPermissionLimits;
}

/** The `nats` claim of an account JWT. */
export interface AccountNats extends NatsFields {
  description?: string;
  info_url?: string;
  limits?: Record<string, unknown>;
  /** Public keys (`A…`) that may sign users in addition to the account's own; scoped ones with their template. */
  signing_keys?: (string | ScopedSigningKeyClaim)[];
  /** From public key (`U…`, or `*`) to the time up to which its JWTs are revoked, in seconds since 1970. */
  revocations?: Record<string, number>;
  /** Default permissions of users whose JWT has none. */
  default_permissions?: Permissions;
  imports?: unknown[];
  exports?: unknown[];
}

/** The `nats` claim of an operator JWT. */
export interface OperatorNats extends NatsFields {
  /** Public keys (`O…`) that may sign accounts in addition to the operator's own. */
  signing_keys?: string[];
  account_server_url?: string;
  operator_service_urls?: string[];
  /** The public key (`A…`) of the system account. */
  system_account?: string;
  /** Accounts must be signed by a signing key, not by the identity key. */
  strict_signing_key_usage?: boolean;
}

/** The standard claims of a NATS JWT. Times are in seconds since 1970. */
export interface Claims<Nats> {
  /** A hash of the other claims. */
  jti?: string;
  /** The issue time. */
  iat: number;
  /** The issuer's public key. */
  iss: string;
  /** The subject's public key. */
  sub: string;
  name?: string;
  aud?: string;
  /** The expiry. Absent or 0: never. */
  exp?: number;
  /** Not valid before this time. Absent or 0: at once. */
  nbf?: number;
  /** The NATS-specific claims. */
  nats: Nats;
}

/** The claims of an operator JWT. */
export type OperatorClaims = Claims<OperatorNats>;
/** The claims of an account JWT. */
export type AccountClaims = Claims<AccountNats>;
/** The claims of a user JWT. */
export type UserClaims = Claims<UserNats>;

/** The types of JWT that Zester reads. */
export type ClaimType = 'operator' | 'account' | 'user';
