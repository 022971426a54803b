// The roles of admins, and the lowest role for each request.
import type { AdminVerb } from './names.js';

/** The roles, from the least to the most privileged. Each includes the previous ones. */
export const ADMIN_ROLES = ['viewer', 'approver', 'operator', 'owner'] as const;
export type AdminRole = (typeof ADMIN_ROLES)[number];
/** The role of an added admin. `zester init` creates the owner, who may do everything. */
export type AddedRole = 'viewer' | 'approver' | 'operator';
export const ADDED_ROLES = ['viewer', 'approver', 'operator'] as const satisfies readonly AddedRole[];

/** The table entry of a request to a master. */
export interface AdminVerbRule {
  /** The lowest of {@link ADMIN_ROLES} that may send it. */
  role: AdminRole;
  /** Whether it changes state; if so, its nonce is stored for all masters. */
  writes: boolean;
}

/** Every admin request to masters. A verb without an entry does not compile. */
export const ADMIN_VERBS: Readonly<Record<AdminVerb, AdminVerbRule>> = {
  status: { role: 'viewer', writes: false },
  'peel.list': { role: 'viewer', writes: false },
  'peel.show': { role: 'viewer', writes: false },
  'presence.watch': { role: 'viewer', writes: false },
  audit: { role: 'viewer', writes: false },
  'token.list': { role: 'viewer', writes: false },
  'peel.accept': { role: 'approver', writes: true },
  'peel.reject': { role: 'approver', writes: true },
  'token.create': { role: 'approver', writes: true },
  'token.remove': { role: 'approver', writes: true },
  'peel.add': { role: 'operator', writes: true },
  'peel.rotate': { role: 'operator', writes: true },
  'peel.label': { role: 'operator', writes: true },
  'peel.revoke': { role: 'operator', writes: true },
  'master.resume': { role: 'operator', writes: true },
};

/** Whether a role may send a request to a master. */
export function mayRequest(role: AdminRole, verb: AdminVerb): boolean {
  return hasRole(role, ADMIN_VERBS[verb].role);
}

/** Whether a role includes another one. */
export function hasRole(role: AdminRole, least: AdminRole): boolean {
  return ADMIN_ROLES.indexOf(role) >= ADMIN_ROLES.indexOf(least);
}

/** The lesser of two roles. */
export function lesserRole(one: AdminRole, other: AdminRole): AdminRole {
  return ADMIN_ROLES.indexOf(one) < ADMIN_ROLES.indexOf(other) ? one : other;
}

/**
 * Whether an added admin may reject a peel in this state: rejecting an accepted one revokes it, which needs an
 * operator.
 */
export function mayReject(role: string, state: string): boolean {
  return role === 'operator' || state === 'pending' || state === 'rejected';
}

/** Whether an added admin may replace a peel's existing label, in any request: `peel.accept` has labels, too. */
export function mayRelabel(role: string): boolean {
  return role === 'operator';
}

/** The requests that a role may send to a master, in table order. */
export function verbsOf(role: AdminRole): AdminVerb[] {
  return (Object.keys(ADMIN_VERBS) as AdminVerb[]).filter((verb) => mayRequest(role, verb));
}

const ROLE_TAG = 'zester-role:';

/** The JWT tag for an admin's role. */
export function roleTag(role: AddedRole): string {
  return `${ROLE_TAG}${role}`;
}

/** The role in the tags of a JWT; undefined: none, several, or unknown to this version. */
export function roleOfTags(tags: readonly string[] | undefined): AddedRole | undefined {
  const roleTags = (tags ?? []).filter((tag) => tag.startsWith(ROLE_TAG));
  return roleTags.length === 1 ? ADDED_ROLES.find((role) => roleTag(role) === roleTags[0]) : undefined;
}
