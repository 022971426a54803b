import * as v from 'valibot';
import { auditEventSchema, type AuditEvent } from '../../fleet/audit-event.js';
import { parseJson } from '../../fleet/messages.js';

/** An event as it is published; undefined: of a newer version, or none. */
export function parseEvent(data: Uint8Array): AuditEvent | undefined {
  const parsed = v.safeParse(auditEventSchema, parseJson(Buffer.from(data).toString('utf8')));
  return parsed.success ? (parsed.output as AuditEvent) : undefined;
}
