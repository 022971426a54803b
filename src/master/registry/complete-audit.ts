// When a master starts, publishes events of records that the audit log lacks.
import { sleepUnref } from '../../async/sleep.js';
import { AUDIT_STREAM, AUDIT_SUBJECTS, PEELS_BUCKET } from '../../permissions/names.js';
import type { RecordEvent } from '../../protocol/records/audit-event.js';
import { parseAnyEvent } from '../../protocol/records/parse-event.js';
import type { AuditLog } from '../audit/audit-log.js';
import { lastAuditTime } from '../audit/read-audit.js';
import type { MasterLogger } from '../logger.js';
import { readStream } from '../store/read-stream.js';
import type { Store } from '../store/store.js';
import { AUDIT_COMPLETE_AFTER_MS, AUDIT_COMPLETE_RETRY_MS, AUDIT_LOOKBACK_MS } from '../../timing.js';
import { parseStoredRecord } from '../../protocol/records/stored-record.js';

/**
 * Ensures that the last events of records are in the audit log: masters that were killed while this one was away may
 * have left some unpublished. While any master lives, it publishes them within seconds, so missing events date from
 * about the end of the log. The bucket keeps some values of each record, so overwritten events are found too.
 *
 * @returns stops it
 */
export function completeAudit(
  store: Store,
  audit: Pick<AuditLog, 'publish'>,
  logger: MasterLogger,
): { close(): void } {
  let isClosed = false;
  void (async () => {
    let since: number | undefined;
    let isTold = false;
    while (!isClosed) {
      try {
        // read before this master writes to the log itself
        since ??= ((await lastAuditTime(store)) ?? 0) - AUDIT_LOOKBACK_MS;
        // the master that wrote a new event has a while to publish it
        await sleepUnref(AUDIT_COMPLETE_AFTER_MS);
        return await publishMissing(store, audit, since);
      } catch (error) {
        if (isClosed) return;
        if (!isTold) logger.warn({ error: String(error) }, 'the audit log cannot be read; retrying');
        isTold = true;
        await sleepUnref(AUDIT_COMPLETE_RETRY_MS);
      }
    }
  })();
  return { close: () => void (isClosed = true) };
}

async function publishMissing(store: Store, audit: Pick<AuditLog, 'publish'>, since: number): Promise<void> {
  const events = await eventsOfRecords(store, since);
  if (events.length === 0) return;
  const known = new Set<string>();
  const query = { filter: AUDIT_SUBJECTS, since: isoTime(since - AUDIT_LOOKBACK_MS) };
  for await (const { data } of readStream(store, AUDIT_STREAM, query))
    known.add(parseAnyEvent(data)?.id ?? '');
  for (const event of events) if (!known.has(event.id)) audit.publish(event);
}

/** The events that were written into records, by the servers' clock. */
async function eventsOfRecords(store: Store, since: number): Promise<RecordEvent[]> {
  const events: RecordEvent[] = [];
  const query = { filter: `$KV.${PEELS_BUCKET}.>`, since: isoTime(since) };
  for await (const { data } of readStream(store, `KV_${PEELS_BUCKET}`, query)) {
    const stored = parseStoredRecord(data);
    if (stored !== undefined) events.push(stored.event); // otherwise it has the state of a newer version
  }
  return events;
}

/** For a query: undefined, which means everything, if it is before 1970. */
function isoTime(ms: number): string | undefined {
  return ms < 0 ? undefined : new Date(ms).toISOString();
}
