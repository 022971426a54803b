// Folds the audit log into the records that it implies.
import {
  isKnownChange,
  isRecordEvent,
  type AuditEvent,
  type NewerChange,
  type RecordEvent,
} from '../../protocol/records/audit-event.js';
import { applyEvent } from '../../protocol/records/apply-event.js';
import { isLabelled, labelText } from '../../protocol/records/labels.js';
import type { PeelRecord } from '../../protocol/records/record.js';

/** The most events kept, per peel, that arrived before their predecessor. */
const KEPT_EARLY = 1_000;

interface Folded {
  record: PeelRecord | undefined;
  /** The number of the last event, if the first ones were deleted and there is no record. */
  number: number;
  /** The event that produced the record. */
  lastId: string;
  early: Map<number, RecordEvent>;
  wrong: string | undefined;
  /** The kind of an event that only a newer version knows: the record cannot be recomputed. */
  newer: string | undefined;
}

/**
 * Folds the audit events into the records that should exist. Keeps one record per peel and no events, so memory grows
 * with the fleet, not with the audit log.
 */
export class AuditFold {
  readonly #peels = new Map<string, Folded>();
  readonly #tokens = new Set<string>();
  /** Peels with two events of the same number, to be checked again individually. */
  readonly doubtful = new Set<string>();
  count = 0;
  readonly #trimmedBefore: number | undefined;

  /**
   * @param options.trimmedBefore ISO 8601: the retention of the audit log has deleted earlier events; so the events of
   *   a peel may begin with any number, and a record that has not changed since cannot be checked
   */
  constructor({ trimmedBefore }: { trimmedBefore?: string | undefined } = {}) {
    this.#trimmedBefore = trimmedBefore === undefined ? undefined : Date.parse(trimmedBefore);
  }

  /**
   * Whether the retention may have deleted events from that time. The clocks of masters and servers may differ by a
   * minute.
   */
  isTrimmed(at: string): boolean {
    return this.#trimmedBefore !== undefined && Date.parse(at) < this.#trimmedBefore + 60_000;
  }

  /** Events in stream order. */
  add(event: AuditEvent | NewerChange): void {
    this.count += 1;
    if (isRecordEvent(event)) return this.#add(event);
    if (event.kind === 'token.created') {
      const token = event.detail?.['token'];
      if (typeof token === 'string') this.#tokens.add(`${token} ${event.publicKey ?? ''}`);
    }
  }

  #add(event: RecordEvent): void {
    const folded = this.#peels.get(event.peelId) ?? {
      record: undefined,
      number: this.#trimmedBefore !== undefined && event.number > 1 ? event.number - 1 : 0,
      lastId: '',
      early: new Map<number, RecordEvent>(),
      wrong: undefined,
      newer: undefined,
    };
    this.#peels.set(event.peelId, folded);
    const { number } = folded;
    // one of the first remaining events
    if (this.#trimmedBefore !== undefined && folded.record === undefined && event.number <= number) return;
    if (event.number <= number || folded.early.has(event.number)) {
      // a duplicate, or a different event with the same number: only a list of all IDs could tell
      this.doubtful.add(event.peelId);
      return;
    }
    // two masters publish at the same time: the next one may come first
    if (folded.early.size < KEPT_EARLY) folded.early.set(event.number, event);
    this.#apply(folded);
  }

  #apply(folded: Folded): void {
    for (;;) {
      const next = folded.early.get(folded.number + 1);
      if (next === undefined) return;
      folded.early.delete(next.number);
      if (!isKnownChange(next)) {
        folded.newer = next.kind;
        folded.record = undefined;
      } else if (folded.record !== undefined || next.number === 1)
        folded.record = applyEvent(folded.record, next);
      folded.number = next.number;
      folded.lastId = next.id;
    }
  }

  /** Whether the audit log records the creation of this token. */
  madeToken(tokenId: string, publicKey: string): boolean {
    return this.#tokens.has(`${tokenId} ${publicKey}`);
  }

  /** The kind of a peel's event that only a newer version knows; undefined: none. */
  newerKind(peelId: string): string | undefined {
    return this.#peels.get(peelId)?.newer;
  }

  get peelIds(): IterableIterator<string> {
    return this.#peels.keys();
  }

  /**
   * The difference between a record and the audit log; undefined: they agree.
   *
   * @param stored the record, and the ID of the event that produced it according to the record; undefined: there is no
   *   record
   */
  compare(peelId: string, stored: { record: PeelRecord; eventId: string } | undefined): string | undefined {
    const folded = this.#peels.get(peelId);
    const made = folded?.record;
    if (stored === undefined) {
      if (folded === undefined) return undefined;
      const numbers = folded.number > 0 ? folded.number : [...folded.early.keys()][0];
      return `the audit log has events up to number ${numbers}, but there is no record`;
    }
    const { record, eventId } = stored;
    if (folded === undefined && this.isTrimmed(record.updatedAt)) return undefined;
    if (folded === undefined) return `a record (${record.state}) without an event in the audit log`;
    const [gap] = [...folded.early.keys()].sort((a, b) => a - b);
    const at = folded.number;
    if (gap !== undefined && record.number > at)
      return `the audit log has event ${gap}, but none with the number ${at + 1}`;
    if (record.number > at)
      return `the record has ${record.number} changes, but the audit log only ${at} of them`;
    if (record.number < at)
      return `the audit log has ${at} changes, but the record only ${record.number} of them`;
    if (gap !== undefined) return `the audit log has an event ${gap}, but the record only ${at} changes`;
    if (folded.lastId !== eventId)
      return `event ${at} in the audit log differs from the one that produced the record`;
    return made === undefined ? undefined : difference(made, record);
  }
}

/**
 * Compares the fields that an attacker would change, and none that another version of Zester may compute differently.
 */
function difference(audit: PeelRecord, record: PeelRecord): string | undefined {
  if (audit.state !== record.state)
    return `the record says ${record.state}, but the audit log says ${audit.state}`;
  if (!isLabelled(audit.labels, { set: record.labels }) || !isLabelled(record.labels, { set: audit.labels }))
    return `the record has the labels "${labelText(record.labels)}", but the audit log says "${labelText(audit.labels)}"`;
  for (const key of record.keys) {
    const known = audit.keys.find(({ publicKey }) => publicKey === key.publicKey);
    if (known === undefined) return `the record has the key ${key.publicKey}, but the audit log does not`;
    for (const name of ['state', 'issuer', 'issuedAt', 'expiresAt'] as const) {
      if (known[name] !== key[name])
        return `${name} of the key ${key.publicKey} is ${String(key[name])} in the record, but ${String(known[name])} in the audit log`;
    }
  }
  const lost = audit.keys.find(
    ({ publicKey, state }) => state !== 'revoked' && !record.keys.some((key) => key.publicKey === publicKey),
  );
  return lost === undefined
    ? undefined
    : `the record lacks the key ${lost.publicKey}, which is in the audit log`;
}

/** Two events of one peel with the same number and different IDs: one of them is forged, or lost a race. */
export function rivals(events: Iterable<AuditEvent | NewerChange>): string | undefined {
  const ids = new Map<number, string>();
  for (const event of events) {
    if (!isRecordEvent(event)) continue;
    const id = ids.get(event.number);
    if (id !== undefined && id !== event.id)
      return `the audit log has two events with the number ${event.number} (${event.kind}, ${event.at}): one is not from a master`;
    ids.set(event.number, event.id);
  }
  return undefined;
}
