// Formats a user's permissions as rows.
import type { Permission, Permissions, ResponsePermission } from '../../jwt/claims.js';

/** The server's defaults for absent fields of `resp`. Source: nats-server, `validateResponsePermissions`. */
const DEFAULT_RESPONSES = 1;
const DEFAULT_RESPONSE_SECONDS = 120;

/** The subjects and responses of a user, one row each; none if the JWT has no permissions. */
export function permissionRows({
  pub,
  sub,
  resp,
}: Permissions): (readonly [name: string, value: string[]])[] {
  if (pub === undefined && sub === undefined && resp === undefined) return [];
  const rows: [name: string, value: string[]][] = [
    ['publish', subjects(pub)],
    ['subscribe', subjects(sub)],
  ];
  if (resp !== undefined) rows.push(['respond', [responses(resp)]]);
  return rows;
}

function subjects(permission: Permission | undefined): string[] {
  const { allow = [], deny = [] } = permission ?? {};
  return [...(allow.length === 0 ? ['everything'] : allow), ...deny.map((subject) => `not ${subject}`)];
}

function responses({ max, ttl }: ResponsePermission): string {
  const most = max === 0 ? DEFAULT_RESPONSES : max;
  const times = most < 0 ? 'any number of answers' : `${most} answer${most === 1 ? '' : 's'}`;
  const seconds = ttl === 0 ? DEFAULT_RESPONSE_SECONDS : ttl / 1e9;
  return `${times} to a request${seconds > 0 ? `, within ${seconds} s` : ''}`;
}
