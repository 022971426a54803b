// Parses an audit event.
import * as v from 'valibot';
import { auditEventSchema, newerChangeSchema, type AuditEvent, type NewerChange } from './audit-event.js';
import { parseJson } from '../messages.js';

/** Parses a published event; undefined: not an event, or from a newer version. */
export function parseEvent(data: Uint8Array): AuditEvent | undefined {
  const parsed = v.safeParse(auditEventSchema, parseJson(data));
  return parsed.success ? (parsed.output as AuditEvent) : undefined;
}

/** Like {@link parseEvent}, but accepts record changes of a newer version. */
export function parseAnyEvent(data: Uint8Array): AuditEvent | NewerChange | undefined {
  return parseEvent(data) ?? parseNewerChange(data);
}

function parseNewerChange(data: Uint8Array): NewerChange | undefined {
  const parsed = v.safeParse(newerChangeSchema, parseJson(data));
  return parsed.success ? (parsed.output as NewerChange) : undefined;
}
