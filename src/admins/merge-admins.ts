// Merges a home's list of admins with the events of the audit log. Pure.
import { isPublicKey } from '../nkeys/validate.js';
import { isAdminName } from '../permissions/admin-names.js';
import { ADDED_ROLES } from '../permissions/admin-roles.js';
import type { AuditEvent } from '../protocol/records/audit-event.js';
import type { AddedAdmin } from './added-admins.js';

/**
 * Adds admins of other homes, from the audit log, to a home's list: one entry per key, in the order of addition.
 * Ignores events that do not name a valid admin.
 *
 * @param events `admin.added` and `admin.removed`, oldest first
 */
export function mergeAdmins(own: readonly AddedAdmin[], events: readonly AuditEvent[]): AddedAdmin[] {
  const byKey = new Map(own.map((admin) => [admin.publicKey, admin]));
  for (const event of events) {
    const { publicKey } = event;
    if (publicKey === undefined || !isPublicKey(publicKey, 'user')) continue;
    const known = byKey.get(publicKey);
    if (event.kind === 'admin.added' && known === undefined) {
      const added = addedBy(event, publicKey);
      if (added !== undefined) byKey.set(publicKey, added);
    } else if (event.kind === 'admin.removed' && known !== undefined && known.removedAt === undefined) {
      byKey.set(publicKey, { ...known, removedAt: secondsOf(event.at) ?? known.issuedAt });
    }
  }
  return [...byKey.values()].sort((a, b) => a.issuedAt - b.issuedAt);
}

function addedBy({ at, detail }: AuditEvent, publicKey: string): AddedAdmin | undefined {
  const { admin: name, expires } = detail ?? {};
  const role = ADDED_ROLES.find((one) => one === detail?.['role']);
  const issuedAt = secondsOf(detail?.['issued']) ?? secondsOf(at);
  if (typeof name !== 'string' || !isAdminName(name) || role === undefined || issuedAt === undefined)
    return undefined;
  return { name, role, publicKey, issuedAt, expiresAt: secondsOf(expires) };
}

function secondsOf(time: unknown): number | undefined {
  const ms = typeof time === 'string' ? Date.parse(time) : NaN;
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000);
}
