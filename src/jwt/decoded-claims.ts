// Recognizes decoded claims that are passed as options.

/** Names of decoded claims, which a program may pass as options in the hope of keeping them. */
const NAMES =
  'jti iat iss sub aud exp nbf nats type version issuer_account pub sub resp subs src times_location bearer_token ' +
  'proxy_required allowed_connection_types signing_keys default_permissions info_url mappings authorization trace ' +
  'cluster_traffic account_server_url operator_service_urls strict_signing_key_usage system_account assert_server_version';

/**
 * The advice for decoded claims passed as options.
 *
 * @param revise the function to use instead
 */
export function insteadOfClaims(revise: string): Record<string, string> {
  const hint = `decoded claims are not options, and some would be lost: use ${revise}, which re-signs a JWT and keeps all claims`;
  return Object.fromEntries(NAMES.split(' ').map((name) => [name, hint]));
}
