// Tells the audit log of what was done about a master.
import { withState, type StateConnection } from '../backup/connect-state.js';
import { RegistryReader } from '../fleet-client/registry-reader.js';
import type { AuditEvent } from '../protocol/records/audit-event.js';
import type { TrustDomain } from '../trust/domain.js';

/**
 * Writes an event about a master into the audit log.
 *
 * @param event.by the command
 * @returns whether there is an audit log: the first master makes it
 * @throws FleetError `ERR_FLEET_STORE` when there is one and it does not take the event; ConnectError
 */
export function auditMaster(
  domain: TrustDomain,
  at: StateConnection,
  event: {
    kind: 'master.invited' | 'master.removed';
    by: string;
    detail: Exclude<AuditEvent['detail'], undefined>;
    reason?: string | undefined;
  },
): Promise<boolean> {
  const { by, reason, ...rest } = event;
  return withState(domain, at, (nc) =>
    new RegistryReader(nc).audit({
      ...rest,
      ...(reason !== undefined && { reason }),
      by: { kind: 'admin', name: by },
    }),
  );
}
