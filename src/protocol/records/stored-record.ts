// The stored form of a peel's record: the record and the event that made it.
import * as v from 'valibot';
import { parseJson } from '../messages.js';
import { auditEventSchema, newerChangeSchema, type RecordEvent } from './audit-event.js';
import { openObject } from './open-object.js';
import { recordSchema, type PeelRecord } from './record.js';

/** A record and its event, in one write: if a master dies, no decision is left without its event. */
export interface StoredRecord {
  record: PeelRecord;
  event: RecordEvent;
}

export const storedRecordSchema = openObject({
  record: recordSchema,
  event: v.union([auditEventSchema, newerChangeSchema]),
});

/** Parses a value of the bucket; undefined: invalid, or only a newer version can judge the peel. */
export function parseStoredRecord(data: Uint8Array): StoredRecord | undefined {
  const parsed = v.safeParse(storedRecordSchema, parseJson(data));
  return parsed.success ? (parsed.output as StoredRecord) : undefined;
}
