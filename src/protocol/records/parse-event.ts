// Parses an audit event.
import * as v from 'valibot';
import { auditEventSchema, newerChangeSchema, type AuditEvent, type NewerChange } from './audit-event.js';
import { parseJson } from '../messages.js';

/** An event as it is published; undefined: of a newer version, or none. */
export function parseEvent(data: Uint8Array): AuditEvent | undefined {
  const parsed = v.safeParse(auditEventSchema, parseJson(data));
  return parsed.success ? (parsed.output as AuditEvent) : undefined;
}

/** As {@link parseEvent}, and also an event of a newer version that changed a record. */
export function parseAnyEvent(data: Uint8Array): AuditEvent | NewerChange | undefined {
  return parseEvent(data) ?? parseNewerChange(data);
}

function parseNewerChange(data: Uint8Array): NewerChange | undefined {
  const parsed = v.safeParse(newerChangeSchema, parseJson(data));
  return parsed.success ? (parsed.output as NewerChange) : undefined;
}
