// Parses an audit event; unknown kinds are skipped.
import * as v from 'valibot';
import { auditEventSchema, type AuditEvent } from './audit-event.js';
import { parseJson } from '../messages.js';

/** An event as it is published; undefined: of a newer version, or none. */
export function parseEvent(data: Uint8Array): AuditEvent | undefined {
  const parsed = v.safeParse(auditEventSchema, parseJson(data));
  return parsed.success ? (parsed.output as AuditEvent) : undefined;
}
