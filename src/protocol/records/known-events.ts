// The audit events of an answer, as far as this version knows them.
import * as v from 'valibot';
import { auditEventSchema, isNewerKind, type AuditEvent } from './audit-event.js';

const newerSchema = v.object({ id: v.string(), kind: v.pipe(v.string(), v.check(isNewerKind)) });

/** Of a newer master, there may be events of kinds that this version does not know: they are left out, and the others shown. */
export const knownEvents = v.pipe(
  v.array(v.union([auditEventSchema, newerSchema])),
  v.transform((events) => events.filter((event): event is AuditEvent => !isNewerKind(event.kind))),
);
