// The roles of admins: the one table of which role may ask what.
import type { AdminVerb } from './names.js';

/** The roles, from the one that may do the least. Each may do all that those before it may. */
export const ADMIN_ROLES = ['viewer', 'approver', 'operator', 'owner'] as const;
export type AdminRole = (typeof ADMIN_ROLES)[number];
/** The role of an admin that was added. The owner, who may do everything, is made by `zester init`. */
export type AddedRole = 'viewer' | 'approver' | 'operator';
export const ADDED_ROLES = ['viewer', 'approver', 'operator'] as const satisfies readonly AddedRole[];

/** What the table says of a request to a master. */
export interface AdminVerbRule {
  /** The first of {@link ADMIN_ROLES} that may ask it. */
  role: AdminRole;
  /** Whether it changes something: then its nonce is spent for all masters. */
  writes: boolean;
}

/** Every request of admins to masters. A verb that is not here does not compile. */
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

/** Whether a role may ask a master something. */
export function mayAsk(role: AdminRole, verb: AdminVerb): boolean {
  return hasRole(role, ADMIN_VERBS[verb].role);
}

/** Whether a role may do what another one may. */
export function hasRole(role: AdminRole, least: AdminRole): boolean {
  return ADMIN_ROLES.indexOf(role) >= ADMIN_ROLES.indexOf(least);
}

/** Whether an admin that was added may reject a peel in this state: an accepted one is revoked by it, which is an operator's. */
export function mayReject(role: string, state: string): boolean {
  return role === 'operator' || state === 'pending' || state === 'rejected';
}

/** Whether an admin that was added may replace a label that a peel has, in whatever request: `peel.accept` has labels, too. */
export function mayRelabel(role: string): boolean {
  return role === 'operator';
}

/** What a role may ask a master, in the order of the table. */
export function verbsOf(role: AdminRole): AdminVerb[] {
  return (Object.keys(ADMIN_VERBS) as AdminVerb[]).filter((verb) => mayAsk(role, verb));
}

const ROLE_TAG = 'zester-role:';

/** The tag of a JWT that says an admin's role. */
export function roleTag(role: AddedRole): string {
  return `${ROLE_TAG}${role}`;
}

/** The role that the tags of a JWT say; undefined: none, several, or one that this version does not know. */
export function roleOfTags(tags: readonly string[] | undefined): AddedRole | undefined {
  const said = (tags ?? []).filter((tag) => tag.startsWith(ROLE_TAG));
  return said.length === 1 ? ADDED_ROLES.find((role) => roleTag(role) === said[0]) : undefined;
}
