// Tracks which events of records are known to be in the audit log, and which this master must publish.
import type { AuditEvent, RecordEvent } from '../../protocol/records/audit-event.js';
import { AUDIT_DEDUPLICATION_MS, AUDIT_GRACE_MS, AUDIT_SEEN_KEPT_MS } from '../../timing.js';

/** Events that other masters wrote into records. The master that wrote one publishes it, unless it was killed. */
export class UnconfirmedEvents {
  readonly #expected = new Map<string, { event: AuditEvent | RecordEvent; since: number }>();
  /** Events seen recently: the stream may be faster than the watch of a record. */
  readonly #seen = new Map<string, number>();

  /** Expects the event of a record, from any master. */
  expect(event: AuditEvent | RecordEvent, now: number): void {
    if (!this.#seen.has(event.id)) this.#expected.set(event.id, { event, since: now });
  }

  /** Notes that the stream has stored the event with this ID. */
  confirm(id: string, now: number): void {
    this.#seen.set(id, now);
    this.#expected.delete(id);
  }

  /**
   * Whether to publish an event that another master wrote into a record, before a new record hides it. An event that is
   * older than the stream's deduplication window was completed long ago.
   */
  isMissing({ id, at }: Pick<AuditEvent, 'id' | 'at'>, now: number): boolean {
    return now - Date.parse(at) < AUDIT_DEDUPLICATION_MS / 2 && !this.#seen.has(id);
  }

  /** Takes the events that were not seen in time: their master has probably died. */
  takeOverdue(now: number): (AuditEvent | RecordEvent)[] {
    const overdue = [...this.#expected.values()].filter(({ since }) => now - since >= AUDIT_GRACE_MS);
    for (const { event } of overdue) this.#expected.delete(event.id);
    for (const [id, at] of this.#seen) {
      if (now - at < AUDIT_SEEN_KEPT_MS) break;
      this.#seen.delete(id);
    }
    return overdue.map(({ event }) => event);
  }
}
