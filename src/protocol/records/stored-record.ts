// A peel's record as its bucket stores it: with the event that made it.
import * as v from 'valibot';
import { parseJson } from '../messages.js';
import { auditEventSchema, type PeelEvent } from './audit-event.js';
import { recordSchema, type PeelRecord } from './record.js';

/** A record, and the event that made it: so no decision can stand without its event, wherever a master dies. */
export interface StoredRecord {
  record: PeelRecord;
  event: PeelEvent;
}

export const storedRecordSchema = v.object({ record: recordSchema, event: auditEventSchema });

/** A value of the bucket; undefined: a newer version's, or none. */
export function parseStoredRecord(data: Uint8Array): StoredRecord | undefined {
  const parsed = v.safeParse(storedRecordSchema, parseJson(data));
  return parsed.success ? (parsed.output as StoredRecord) : undefined;
}
