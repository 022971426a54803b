// Recognizes users of scoped signing keys.
import type { UserClaims } from './claims.js';

/**
 * Whether a user JWT has no permissions and no limits: all absent or zero. A server refuses any list, even an empty
 * one.
 *
 * Source: github.com/nats-io/jwt/v2, user_claims.go (`HasEmptyPermissions`, which compares with an empty structure).
 */
export function hasNoPermissions({ nats }: Pick<UserClaims, 'nats'>): boolean {
  const lists = [nats.pub?.allow, nats.pub?.deny, nats.sub?.allow, nats.sub?.deny];
  return (
    [...lists, nats.src, nats.times, nats.allowed_connection_types, nats.resp].every(
      (list) => list === undefined,
    ) &&
    [nats.subs, nats.data, nats.payload].every((limit) => (limit ?? 0) === 0) &&
    (nats.times_location ?? '') === '' &&
    nats.bearer_token !== true &&
    nats.proxy_required !== true
  );
}

/**
 * Whether a user JWT appears to belong to a scoped signing key: a signing key signed it, and it has no permissions or
 * limits. An ordinary JWT has at least limits, even if they are "no limit" (-1).
 */
export function isScopedUser(claims: UserClaims): boolean {
  return (claims.nats.issuer_account ?? '') !== '' && hasNoPermissions(claims);
}
