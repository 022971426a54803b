// Parses the audit events of an answer, without those of newer versions.
import * as v from 'valibot';
import { auditEventSchema, isNewerKind, type AuditEvent } from './audit-event.js';

const newerSchema = v.object({ id: v.string(), kind: v.pipe(v.string(), v.check(isNewerKind)) });

/** The events of an answer. Kinds that only a newer version knows are left out. */
export const knownEvents = v.pipe(
  v.array(v.union([auditEventSchema, newerSchema])),
  v.transform((events) => events.filter((event): event is AuditEvent => !isNewerKind(event.kind))),
);
