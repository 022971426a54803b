// The claim names that servers know, for the strict JSON parser.
import type { KnownNames } from './strict-json.js';

/**
 * Every name that a nats-server looks up anywhere in a JWT; it ignores case.
 *
 * Source: github.com/nats-io/jwt/v2 2.4.0, the `json:"…"` tags of the header and of operator, account and user claims,
 * including version 1.
 */
const NAMES = `
  typ alg
  aud exp iat iss jti name nats nbf sub
  issuer_account tags type version
  allow allowed_connection_types bearer_token data deny end max payload proxy_required pub resp src start subs times
  times_location ttl
  authorization cluster_traffic default_permissions description exports imports info_url limits mappings revocations
  signing_keys trace
  conn consumer disallow_bearer disk_max_stream_bytes disk_storage leaf max_ack_pending max_bytes_required
  mem_max_stream_bytes mem_storage streams tiered_limits wildcards
  key kind role template
  account account_token_position advertise allow_trace local_subject response_threshold response_type results sampling
  service_latency share subject to token token_req
  allowed_accounts auth_users xkey cluster weight dest
  account_server_url assert_server_version operator_service_urls strict_signing_key_usage system_account
`;

/** @internal For `parseStrictJson`. */
export const CLAIM_NAMES: KnownNames = {
  names: new Set(NAMES.trim().split(/\s+/)),
  maps: new Set(['mappings', 'revocations', 'tiered_limits']),
};
