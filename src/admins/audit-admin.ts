// Audits that an admin was added or removed.
import { auditCommand, auditDone } from '../backup/audit-command.js';
import type { StateConnection } from '../backup/connect-state.js';
import type { TrustDomain } from '../trust/domain.js';
import type { AddedAdmin } from './added-admins.js';

/**
 * Audits that an admin is being added.
 *
 * @returns whether there is an audit log: the first master creates it
 * @throws FleetError `ERR_FLEET_STORE`; ConnectError
 */
export function auditAdded(domain: TrustDomain, at: StateConnection, admin: AddedAdmin): Promise<boolean> {
  const { publicKey } = admin;
  return auditCommand(domain, at, {
    kind: 'admin.added',
    by: 'zester admin add',
    publicKey,
    detail: detailOf(admin),
  });
}

/**
 * Audits that an admin was removed.
 *
 * @returns whether there is an audit log
 * @throws FleetError `ERR_FLEET_STORE`: the admin is removed, but not audited
 */
export function auditRemoved(
  domain: TrustDomain,
  at: StateConnection,
  { admin, by, reason }: { admin: AddedAdmin; by: string; reason: string | undefined },
): Promise<boolean> {
  const { publicKey } = admin;
  return auditDone(domain, at, { kind: 'admin.removed', by, reason, publicKey, detail: detailOf(admin) });
}

function detailOf({ name, role, issuedAt, expiresAt }: AddedAdmin): Record<string, string> {
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  return {
    admin: name,
    role,
    issued: iso(issuedAt),
    ...(expiresAt !== undefined && { expires: iso(expiresAt) }),
  };
}
