// When a master starts, publishes events of records that the audit log lacks.
import { sleepUnref } from '../../async/sleep.js';
import { AUDIT_STREAM, AUDIT_SUBJECTS } from '../../permissions/names.js';
import { memberOf } from '../../protocol/member-of.js';
import { parseJson } from '../../protocol/messages.js';
import type { RecordEvent } from '../../protocol/records/audit-event.js';
import type { AuditLog } from '../audit/audit-log.js';
import { lastAuditTime } from '../audit/read-audit.js';
import type { MasterLogger } from '../logger.js';
import { readStream } from '../store/read-stream.js';
import type { Store } from '../store/store.js';
import { AUDIT_COMPLETE_AFTER_MS, AUDIT_COMPLETE_RETRY_MS, AUDIT_LOOKBACK_MS } from '../../timing.js';
import { recordsSince, eventsSince } from './recent-messages.js';
import { parseStoredRecord } from '../../protocol/records/stored-record.js';

/**
 * Ensures that the last events of records are in the audit log: masters that were killed while this one did not run may
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
    let isLogged = false;
    while (!isClosed) {
      try {
        // read before this master writes to the log itself
        since ??= ((await lastAuditTime(store)) ?? 0) - AUDIT_LOOKBACK_MS;
        // give the master that wrote a new event time to publish it
        await sleepUnref(AUDIT_COMPLETE_AFTER_MS);
        return await publishMissing(store, audit, since);
      } catch (error) {
        if (isClosed) return;
        if (!isLogged) logger.warn({ error: String(error) }, 'cannot read the audit log; retrying');
        isLogged = true;
        await sleepUnref(AUDIT_COMPLETE_RETRY_MS);
      }
    }
  })();
  return { close: () => void (isClosed = true) };
}

async function publishMissing(store: Store, audit: Pick<AuditLog, 'publish'>, since: number): Promise<void> {
  const audited = new Set<unknown>();
  let newest = 0;
  const noteAudited = async (messages: AsyncIterable<{ data: Uint8Array }>) => {
    for await (const { data } of messages) audited.add(memberOf(parseJson(data), 'id'));
  };
  const onNewest = (seq: number) => void (newest = seq);
  await noteAudited(eventsSince(store, since - AUDIT_LOOKBACK_MS, { onNewest }));
  const unseen = await eventsOfRecords(store, since, (id) => !audited.has(id));
  if (unseen.length === 0) return;
  // their masters may have published them meanwhile
  await noteAudited(readStream(store, AUDIT_STREAM, { filter: AUDIT_SUBJECTS, after: newest }));
  for (const event of unseen) if (!audited.has(event.id)) audit.publish(event);
}

/** The wanted events that were written into records since then, by the servers' clock. Validates only these. */
async function eventsOfRecords(
  store: Store,
  since: number,
  isWanted: (id: unknown) => boolean,
): Promise<RecordEvent[]> {
  const events: RecordEvent[] = [];
  for await (const { data } of recordsSince(store, since)) {
    if (!isWanted(memberOf(memberOf(parseJson(data), 'event'), 'id'))) continue;
    const stored = parseStoredRecord(data);
    if (stored !== undefined) events.push(stored.event); // otherwise it has the state of a newer version
  }
  return events;
}
