// The role of a caller of the HTTP interface: never more than its token or the admin credential permits.
import { FleetError } from '../../errors.js';
import {
  ADMIN_ROLES,
  ADMIN_VERBS,
  hasRole,
  roleOfTags,
  type AdminRole,
} from '../../permissions/admin-roles.js';
import type { AdminVerb } from '../../permissions/names.js';

/** A caller of the HTTP interface. */
export interface Caller {
  /** `session`: the page that the one-time link opened. */
  kind: 'session' | 'token';
  /** The name of the token. */
  name: string;
  role: AdminRole;
}

/**
 * The role of an admin credential, by the tags of its JWT. Without a role it is the owner's; an unknown role is
 * read-only.
 */
export function roleOfCredential(tags: readonly string[] | undefined): AdminRole {
  const isAdded = (tags ?? []).some((tag) => tag.startsWith('zester-role:'));
  return isAdded ? (roleOfTags(tags) ?? 'viewer') : 'owner';
}

/** The lowest role that may send all of these requests. */
export function roleFor(verbs: readonly AdminVerb[]): AdminRole {
  const places = verbs.map((verb) => ADMIN_ROLES.indexOf(ADMIN_VERBS[verb].role));
  return ADMIN_ROLES[Math.max(0, ...places)] ?? 'owner';
}

/** @throws FleetError `ERR_FLEET_DENIED` */
export function requireRole({ role, kind, name }: Caller, least: AdminRole): void {
  if (hasRole(role, least)) return;
  const who = kind === 'token' ? `the token "${name}"` : 'this session';
  throw new FleetError('ERR_FLEET_DENIED', `${who} has the role ${role}, but this request requires ${least}`);
}
