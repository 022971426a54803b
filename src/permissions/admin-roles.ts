// The roles of admins: the one table of which role may ask what.
import type { AdminVerb } from './names.js';

/** The roles, from the one that may do the least. Each may do all that those before it may. */
export const ADMIN_ROLES = ['viewer', 'approver', 'operator', 'owner'] as const;
export type AdminRole = (typeof ADMIN_ROLES)[number];

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
  audit: { role: 'viewer', writes: false },
  'token.list': { role: 'viewer', writes: false },
  'peel.accept': { role: 'approver', writes: true },
  'peel.reject': { role: 'approver', writes: true },
  'token.create': { role: 'approver', writes: true },
  'token.remove': { role: 'approver', writes: true },
  'peel.add': { role: 'operator', writes: true },
  'peel.rotate': { role: 'operator', writes: true },
  'peel.revoke': { role: 'operator', writes: true },
  'master.resume': { role: 'operator', writes: true },
};
