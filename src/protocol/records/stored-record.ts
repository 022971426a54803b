// A peel's record as its bucket stores it: with the event that made it.
import * as v from 'valibot';
import { parseJson } from '../messages.js';
import { auditEventSchema, newerChangeSchema, type RecordEvent } from './audit-event.js';
import { keeping } from './keeping.js';
import { recordSchema, type PeelRecord } from './record.js';

/** A record, and the event that made it: so no decision can stand without its event, wherever a master dies. */
export interface StoredRecord {
  record: PeelRecord;
  event: RecordEvent;
}

export const storedRecordSchema = keeping({
  record: recordSchema,
  event: v.union([auditEventSchema, newerChangeSchema]),
});

/** A value of the bucket; undefined: none, or of a peel that only a newer version can judge. */
export function parseStoredRecord(data: Uint8Array): StoredRecord | undefined {
  const parsed = v.safeParse(storedRecordSchema, parseJson(data));
  return parsed.success ? (parsed.output as StoredRecord) : undefined;
}
