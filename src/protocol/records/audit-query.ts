// Filters for audit events.
import type { AuditEvent } from './audit-event.js';
import { matchesGlob } from '../glob.js';
import { subjectFor } from '../../permissions/names.js';

/** A filter for audit events. An event must match all given fields. */
export interface AuditQuery {
  /** About this peel. */
  peelId?: string | undefined;
  /** Globs over peel IDs; one must match. */
  patterns?: readonly string[] | undefined;
  /** Globs over kinds, such as `key.*`; one must match. */
  kinds?: readonly string[] | undefined;
  /** ISO 8601: stored at this time or later, by the server's clock. */
  since?: string | undefined;
  /** ISO 8601: stored at this time or earlier, by the server's clock. */
  until?: string | undefined;
  /** Stored after this stream sequence; `since` is then ignored. */
  after?: number | undefined;
  /** Only the last events, up to this number. */
  last?: number | undefined;
}

/** Whether an event matches `peelId`, `patterns` and `kinds` of a query. */
export function matchesAuditQuery({ peelId, patterns, kinds }: AuditQuery, event: AuditEvent): boolean {
  if (peelId !== undefined && event.peelId !== peelId) return false;
  if (patterns !== undefined && !patterns.some((pattern) => matchesGlob(pattern, event.peelId ?? '')))
    return false;
  return kinds === undefined || kinds.some((kind) => matchesGlob(kind, event.kind));
}

/** The narrowest subject filter that covers a query: the server filters, so fewer events are read. */
export function auditSubjects({ peelId, patterns, kinds }: AuditQuery): string {
  const id = peelId ?? exact(patterns) ?? '*';
  return subjectFor.audit(id, exact(kinds));
}

/** The only pattern of a list, if it has no wildcard. */
function exact(patterns: readonly string[] | undefined): string | undefined {
  const [pattern, ...more] = patterns ?? [];
  return pattern === undefined || more.length > 0 || /[*?]/.test(pattern) ? undefined : pattern;
}
