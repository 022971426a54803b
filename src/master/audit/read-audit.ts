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

/** An event, and its position in the stream. */
export interface StoredEvent {
  event: AuditEvent;
  seq: number;
}

/** The events in the stream, oldest first. @throws FleetError `ERR_FLEET_STORE` if the stream stops in the middle */
export async function* readAudit(store: Streams, query: AuditQuery = {}): AsyncIterableIterator<AuditEvent> {
  for await (const { event } of readStoredAudit(store, query)) yield event;
}

/**
 * As {@link readAudit}, with the position of each event.
 *
 * @param onNewest called with the sequence of the newest event that the filter matches: later events come after it
 */
export async function* readStoredAudit(
  store: Streams,
  query: AuditQuery = {},
  onNewest?: (seq: number) => void,
): AsyncIterableIterator<StoredEvent> {
  const { since, until, after, last } = query;
  const { peelId, patterns, kinds } = query;
  const all = peelId === undefined && patterns === undefined && kinds === undefined && until === undefined;
  const messages = readStream(store, AUDIT_STREAM, {
    filter: all ? AUDIT_SUBJECTS : auditSubjects(query),
    since,
    until,
    after,
    // without a filter, the last events begin at a known sequence
    last: all ? last : undefined,
    onNewest,
  });
  const kept: StoredEvent[] = [];
  let count = 0;
  // a leader election during a publish may have stored an event twice
  const known = new RecentIds();
  for await (const { data, seq } of messages) {
    const event = parseEvent(data);
    if (event === undefined || !matchesAuditQuery(query, event) || !known.add(event.id)) continue;
    if (last === undefined) yield { event, seq };
    else kept[count++ % last] = { event, seq };
  }
  if (last === undefined) return;
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
    for await (const event of readAudit(store, query)) events.push(event);
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
