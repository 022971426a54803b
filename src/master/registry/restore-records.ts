// Restores records that lack decisions of the audit log.
import type { NatsConnection } from '@nats-io/nats-core';
import { Coalescer } from '../../async/coalesce.js';
import { AUDIT_STREAM } from '../../permissions/names.js';
import { memberOf } from '../../protocol/member-of.js';
import { encodeJson, parseJson } from '../../protocol/messages.js';
import { applyEvent } from '../../protocol/records/apply-event.js';
import { isRecordEvent, type RecordEvent } from '../../protocol/records/audit-event.js';
import { auditSubjects } from '../../protocol/records/audit-query.js';
import { parseAnyEvent } from '../../protocol/records/parse-event.js';
import { parseStoredRecord, type StoredRecord } from '../../protocol/records/stored-record.js';
import { errorMessage } from '../../text/error-message.js';
import { AUDIT_LOOKBACK_MS } from '../../timing.js';
import { lastAuditTime } from '../audit/read-audit.js';
import type { MasterLogger } from '../logger.js';
import { compareAndSet } from '../store/compare-and-set.js';
import { readStream } from '../store/read-stream.js';
import type { Store } from '../store/store.js';
import { missedEvents } from './missed-events.js';
import { eventsSince, recordsSince } from './recent-messages.js';

type Streams = Pick<Store, 'js' | 'jsm' | 'peels'>;

/** The number of the last event in a peel's record; undefined: not known. */
type NumberOf = (peelId: string) => number | undefined;

/**
 * Compares the records with the end of the audit log, and applies the events that they lack: a truncated file loses the
 * end of the registry. A record is the fold of its events, so replaying them restores it without new decisions.
 *
 * Cost: reads the last minute of the audit log and, without `numberOf`, the records written in the last two; then the
 * record and all events of each peel that lacks some.
 *
 * @param numberOf the number of a peel's record, if JetStream has just returned them all
 * @returns the IDs of the peels whose records were restored
 * @throws FleetError `ERR_FLEET_STORE`
 */
export async function restoreRecords(
  store: Streams,
  logger: MasterLogger,
  numberOf?: NumberOf,
): Promise<string[]> {
  const end = await lastAuditTime(store);
  if (end === undefined) return [];
  const last = new Map<string, number>();
  for await (const { data } of eventsSince(store, end - AUDIT_LOOKBACK_MS)) {
    const change = numberIn(parseJson(data), 'peelId');
    if (change !== undefined) last.set(change.id, Math.max(change.number, last.get(change.id) ?? 0));
  }
  // a record is written before its event
  const known = numberOf ?? (await recentNumbers(store, end - 2 * AUDIT_LOOKBACK_MS));
  const restored: string[] = [];
  for (const [peelId, number] of last) {
    if ((known(peelId) ?? 0) >= number) continue;
    const entry = await store.peels.get(peelId);
    const stored = entry?.operation === 'PUT' ? parseStoredRecord(entry.value) : undefined;
    // deleted, or of a newer version: leave it alone
    if (entry !== null && stored === undefined) continue;
    if ((stored?.record.number ?? 0) >= number) continue;
    if (await restore(store, peelId, { stored, revision: entry?.revision ?? 0 }, logger))
      restored.push(peelId);
  }
  return restored;
}

async function restore(
  store: Streams,
  peelId: string,
  { stored, revision }: { stored: StoredRecord | undefined; revision: number },
  logger: MasterLogger,
): Promise<boolean> {
  const events = await recordEvents(readStream(store, AUDIT_STREAM, { filter: auditSubjects({ peelId }) }));
  const missed = missedEvents(stored, events);
  const event = missed.at(-1);
  const changes = { peelId, record: stored?.record.number ?? 0, audit: event?.number };
  if (event === undefined) {
    logger.error(
      changes,
      'a record lacks decisions that are in the audit log, and cannot be restored: run "zester doctor --integrity"',
    );
    return false;
  }
  let record = stored?.record;
  for (const one of missed) record = applyEvent(record, one);
  const data = encodeJson({ ...stored, record, event });
  const isWritten = (await compareAndSet(store.peels, peelId, data, revision)) !== undefined;
  if (isWritten) logger.error(changes, 'restored decisions of the audit log that a record had lost');
  return isWritten;
}

async function recordEvents(messages: AsyncIterable<{ data: Uint8Array }>): Promise<RecordEvent[]> {
  const events: RecordEvent[] = [];
  for await (const { data } of messages) {
    const event = parseAnyEvent(data);
    if (event !== undefined && isRecordEvent(event)) events.push(event);
  }
  return events;
}

/** The numbers of the records that were written since then, in one read: thousands of peels may have renewed. */
async function recentNumbers(store: Streams, since: number): Promise<NumberOf> {
  const numbers = new Map<string, number>();
  // in the order of the bucket: the last one counts
  for await (const { data } of recordsSince(store, since)) {
    const record = numberIn(memberOf(parseJson(data), 'record'), 'id');
    if (record !== undefined) numbers.set(record.id, record.number);
  }
  return (peelId) => numbers.get(peelId);
}

/**
 * The peel of an event or a record, by the member that names it, and the number; undefined: an event that changed no
 * record. Not validated: only compared.
 */
function numberIn(value: unknown, name: 'peelId' | 'id'): { id: string; number: number } | undefined {
  const [id, number] = [memberOf(value, name), memberOf(value, 'number')];
  return typeof id === 'string' && typeof number === 'number' ? { id, number } : undefined;
}

/** Restores records after each reconnect: a server that crashed may have lost writes. */
export class RecordRestorer {
  readonly #restore: Coalescer<void>;
  #stopped = false;

  constructor(nc: Pick<NatsConnection, 'status'>, store: Streams, logger: MasterLogger) {
    this.#restore = new Coalescer(async () => {
      if (this.#stopped) return;
      await restoreOrWarn(store, logger);
    });
    void this.#follow(nc);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#restore.idle();
  }

  async #follow(nc: Pick<NatsConnection, 'status'>): Promise<void> {
    for await (const { type } of nc.status()) if (type === 'reconnect') void this.#restore.run();
  }
}

/** As {@link restoreRecords}, but a failure is logged: it must not stop a master. */
export async function restoreOrWarn(
  store: Streams,
  logger: MasterLogger,
  numberOf?: NumberOf,
): Promise<string[]> {
  try {
    return await restoreRecords(store, logger, numberOf);
  } catch (error) {
    logger.warn({ reason: errorMessage(error) }, 'cannot compare the records with the audit log');
    return [];
  }
}
