// Decides which events of the audit log a peel's record lacks.
import { isKnownChange, type PeelEvent, type RecordEvent } from '../../protocol/records/audit-event.js';
import type { StoredRecord } from '../../protocol/records/stored-record.js';

/**
 * The events that a record has lost, in order. A master writes the record before it publishes the event, so an event
 * beyond the record means that JetStream lost an acknowledged write, for example when a server's file is truncated.
 *
 * @param stored the record as JetStream has it; undefined: there is none
 * @param events the peel's events in the audit log, in any order
 * @returns none if they do not continue the record: one is missing or of a newer version, or two have the same number
 */
export function missedEvents(stored: StoredRecord | undefined, events: Iterable<RecordEvent>): PeelEvent[] {
  const byNumber = new Map<number, RecordEvent>();
  for (const event of events) {
    const known = byNumber.get(event.number);
    if (known !== undefined && known.id !== event.id) return [];
    byNumber.set(event.number, event);
  }
  const number = stored?.record.number ?? 0;
  const latest = byNumber.get(number);
  if (stored !== undefined && latest !== undefined && latest.id !== stored.event.id) return [];
  const missed: PeelEvent[] = [];
  const last = Math.max(number, ...byNumber.keys());
  for (let next = number + 1; next <= last; next += 1) {
    const event = byNumber.get(next);
    if (event === undefined || !isKnownChange(event)) return [];
    missed.push(event);
  }
  return missed;
}
