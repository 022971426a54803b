// Finds in the audit log why servers have not confirmed a revocation.
import type { AuditEvent } from '../../../protocol/records/audit-event.js';

/**
 * Why a lock-out is not confirmed, as audited by the master that queried the servers; undefined: no such event.
 *
 * The order of the events shows which ones came after the decision; their times come from several clocks.
 *
 * @param events the peel's events, in the order of the audit log
 * @param decision the number of the decision's event
 */
export function unconfirmedReason(events: readonly AuditEvent[], decision: number): string | undefined {
  const decided = events.findLastIndex((event) => 'number' in event && event.number === decision);
  if (decided === -1) return undefined;
  return events
    .slice(decided)
    .findLast(({ kind }) => kind === 'revocation.incomplete' || kind === 'revocation.failed')?.reason;
}
