// Writes a command's action into the audit log, as the home's master.
import { afterwards } from '../fleet-client/afterwards.js';
import { RegistryReader } from '../fleet-client/registry-reader.js';
import type { AuditEvent } from '../protocol/records/audit-event.js';
import type { TrustDomain } from '../trust/domain.js';
import { withState, type StateConnection } from './connect-state.js';

/** A command's action. */
export interface CommandEvent {
  kind: 'backup.created' | 'master.invited' | 'master.removed' | 'admin.added' | 'admin.removed';
  /** The command, such as `zester backup`. */
  by: string;
  detail: Exclude<AuditEvent['detail'], undefined>;
  reason?: string | undefined;
  /** The key that it concerns (`U…`). */
  publicKey?: string;
}

/**
 * Writes an event into the audit log.
 *
 * @returns whether there is an audit log: the first master creates it
 * @throws FleetError `ERR_FLEET_STORE` when writing to it fails; ConnectError
 */
export function auditCommand(
  domain: TrustDomain,
  at: StateConnection,
  { by, reason, ...rest }: CommandEvent,
): Promise<boolean> {
  return withState(domain, at, (nc) =>
    new RegistryReader(nc).audit({
      ...rest,
      ...(reason !== undefined && { reason }),
      by: { kind: 'admin', name: by },
    }),
  );
}

/**
 * Like {@link auditCommand}, for an action that is already done: the error says so.
 *
 * @throws FleetError `ERR_FLEET_STORE`
 */
export function auditDone(domain: TrustDomain, at: StateConnection, event: CommandEvent): Promise<boolean> {
  return afterwards(event.by, () => auditCommand(domain, at, event));
}
