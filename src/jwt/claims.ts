// The types of NATS JWT claims.

/**
 * The claims of NATS JWTs, version 2, by their names on the wire. `forms/` checks what comes
 * from outside; claims that are unknown are kept.
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
