// Filters for audit events.
import type { AuditEvent } from './audit-event.js';
import { matchesGlob } from '../glob.js';
import { subjectFor } from '../../permissions/names.js';

/** Which events of the audit are asked for. All that is given must hold. */
export interface AuditQuery {
  /** About this peel. */
  peelId?: string | undefined;
  /** Globs over peel IDs, of which one must match. */
  patterns?: readonly string[] | undefined;
  /** Globs over kinds, such as `key.*`, of which one must match. */
  kinds?: readonly string[] | undefined;
  /** ISO 8601: stored at this time or later, by the server's clock. */
  since?: string | undefined;
  /** ISO 8601: stored at this time or earlier, by the server's clock. */
  until?: string | undefined;
  /** Stored after this sequence of the stream; `since` is ignored then. */
  after?: number | undefined;
  /** Only the last so many. */
  last?: number | undefined;
}

/** Whether an event is what `peelId`, `patterns` and `kinds` of a query ask for. */
export function matchesAuditQuery({ peelId, patterns, kinds }: AuditQuery, event: AuditEvent): boolean {
  if (peelId !== undefined && event.peelId !== peelId) return false;
  if (patterns !== undefined && !patterns.some((pattern) => matchesGlob(pattern, event.peelId ?? '')))
    return false;
  return kinds === undefined || kinds.some((kind) => matchesGlob(kind, event.kind));
}

/** The narrowest subject filter that has every event of a query: what the server filters out need not be read. */
export function auditSubjects({ peelId, patterns, kinds }: AuditQuery): string {
  const id = peelId ?? exact(patterns) ?? '*';
  return subjectFor.audit(id, exact(kinds));
}

/** The one pattern of a list, where it has no wildcard. */
function exact(patterns: readonly string[] | undefined): string | undefined {
  const [pattern, ...more] = patterns ?? [];
  return pattern === undefined || more.length > 0 || /[*?]/.test(pattern) ? undefined : pattern;
}
