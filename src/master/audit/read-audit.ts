// Reads events from the audit stream.
import { withDeadline } from '../../async/deadline.js';
import { AUDIT_STREAM, AUDIT_SUBJECTS } from '../../permissions/names.js';
import { RecentIds } from '../../protocol/recent-ids.js';
import type { AuditEvent } from '../../protocol/records/audit-event.js';
import { auditSubjects, matchesAuditQuery, type AuditQuery } from '../../protocol/records/audit-query.js';
import { parseEvent } from '../../protocol/records/parse-event.js';
import type { MasterLogger } from '../logger.js';
import { readStream } from '../store/read-stream.js';
import type { Store } from '../store/store.js';

type Streams = Pick<Store, 'js' | 'jsm'>;

/** Up to this many last events are buffered; for more, the stream is read twice. */
const MAX_BUFFERED = 5_000;

/** An event, and its position in the stream. */
export interface StoredEvent {
  event: AuditEvent;
  seq: number;
}

interface Reading {
  onNewest?: ((seq: number) => void) | undefined;
  isAborted?: (() => boolean) | undefined;
}

/** The events in the stream, oldest first. @throws FleetError `ERR_FLEET_STORE` if the stream stops in the middle */
export async function* readAudit(store: Streams, query: AuditQuery = {}): AsyncIterableIterator<AuditEvent> {
  for await (const { event } of readStoredAudit(store, query)) yield event;
}

/**
 * As {@link readAudit}, with the position of each event.
 *
 * @param reading.onNewest called with the sequence of the newest event that matches the filter; later events follow it
 * @param reading.isAborted whether to stop reading
 */
export async function* readStoredAudit(
  store: Streams,
  query: AuditQuery = {},
  reading: Reading = {},
): AsyncIterableIterator<StoredEvent> {
  const { last } = query;
  const matching = matchingEvents(store, query, reading);
  // without a filter, the last events begin at a known sequence
  if (last === undefined || (isUnfiltered(query) && query.since === undefined && query.after === undefined))
    return yield* matching;
  if (last <= MAX_BUFFERED) return yield* lastOf(matching, last);
  let count = 0;
  for await (const { seq } of matching) count += seq > 0 ? 1 : 0;
  let skipped = count - last;
  for await (const stored of matchingEvents(store, query, { isAborted: reading.isAborted })) {
    skipped -= 1;
    if (skipped < 0) yield stored;
  }
}

/** Whether a query matches every event from its start on. */
function isUnfiltered({ peelId, patterns, kinds, until }: AuditQuery): boolean {
  return peelId === undefined && patterns === undefined && kinds === undefined && until === undefined;
}

/** The matching events, each once. `last` is used only to find the start of a query without a filter. */
async function* matchingEvents(
  store: Streams,
  query: AuditQuery,
  { onNewest, isAborted }: Reading,
): AsyncIterableIterator<StoredEvent> {
  const { since, until, after, last } = query;
  const messages = readStream(store, AUDIT_STREAM, {
    filter: isUnfiltered(query) ? AUDIT_SUBJECTS : auditSubjects(query),
    since,
    until,
    after,
    last: isUnfiltered(query) ? last : undefined,
    onNewest,
  });
  // a leader election during a publish may have stored an event twice
  const known = new RecentIds();
  for await (const { data, seq } of messages) {
    if (isAborted?.() === true) return;
    const event = parseEvent(data);
    if (event !== undefined && matchesAuditQuery(query, event) && known.add(event.id)) yield { event, seq };
  }
}

async function* lastOf(events: AsyncIterable<StoredEvent>, last: number): AsyncIterableIterator<StoredEvent> {
  const kept: StoredEvent[] = [];
  let count = 0;
  for await (const event of events) kept[count++ % last] = event;
  const first = count > last ? count % last : 0;
  yield* kept.slice(first);
  yield* kept.slice(0, first);
}

/** As {@link readAudit}, until a deadline; undefined if the stream cannot be read by then. */
export async function readAuditWithin(
  store: Streams,
  query: AuditQuery,
  deadline: number,
  logger: MasterLogger,
): Promise<AuditEvent[] | undefined> {
  const readAll = async () => {
    const events: AuditEvent[] = [];
    // the caller no longer waits
    const isAborted = () => Date.now() > deadline;
    for await (const { event } of readStoredAudit(store, query, { isAborted })) events.push(event);
    return events;
  };
  const events = readAll().catch((error: unknown) => {
    logger.warn({ error: String(error) }, 'the audit log is temporarily unreadable');
    return undefined;
  });
  return withDeadline(events, deadline);
}

/** When the last event was written, in milliseconds since 1970 by the servers' clock; undefined if there is none. */
export async function lastAuditTime({ jsm }: Streams): Promise<number | undefined> {
  const { state } = await jsm.streams.info(AUDIT_STREAM);
  return state.messages === 0 ? undefined : Date.parse(state.last_ts);
}
