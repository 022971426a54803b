// Finds in the audit log why servers have not confirmed a revocation.
import type { AuditEvent } from '../../../protocol/records/audit-event.js';

/**
 * Why a lock-out is not confirmed, as noted by the master that asked the servers; undefined: there is no note.
 *
 * The order of the events shows which notes came after the decision; their times are from several clocks.
 *
 * @param events of the peel, in the order of the audit
 * @param decision the number of the decision's event
 */
export function unconfirmedReason(events: readonly AuditEvent[], decision: number): string | undefined {
  const decided = events.findLastIndex((event) => 'number' in event && event.number === decision);
  if (decided === -1) return undefined;
  return events
    .slice(decided)
    .findLast(({ kind }) => kind === 'revocation.incomplete' || kind === 'revocation.failed')?.reason;
}
