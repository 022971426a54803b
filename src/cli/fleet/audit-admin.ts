// Writes into the audit log that an admin was added or removed.
import type { AddedAdmin } from '../../admins/added-admins.js';
import type { StateConnection } from '../../backup/connect-state.js';
import { auditCommand } from '../../backup/audit-command.js';
import type { TrustDomain } from '../../trust/domain.js';
import type { Output } from '../terminal/output.js';

/** Audits it; what is missing is told. @throws FleetError `ERR_FLEET_STORE`; ConnectError */
export async function auditAdmin(
  domain: TrustDomain,
  at: StateConnection,
  output: Output,
  event: { kind: 'admin.added' | 'admin.removed'; admin: AddedAdmin; reason?: string | undefined },
): Promise<void> {
  const { kind, admin, reason } = event;
  const { name, role, publicKey, expiresAt } = admin;
  const isAudited = await auditCommand(domain, at, {
    kind,
    by: kind === 'admin.added' ? 'zester admin add' : 'zester admin remove',
    reason,
    publicKey,
    detail: {
      admin: name,
      role,
      ...(expiresAt !== undefined && { expires: new Date(expiresAt * 1000).toISOString() }),
    },
  });
  if (!isAudited) output.note('not audited: no master has run on these servers yet');
}
