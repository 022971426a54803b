// Decides which deletions by the audit log's retention have already been reported.

/**
 * The sequence before which all deletions are reported, by the last `audit.trimmed` event in the log.
 *
 * @param event the event, as it is stored; undefined: the log has none, because nothing was reported yet or the report
 *   is deleted too
 * @param now.created when the stream was created (ISO 8601); an older event was restored from a backup, and its
 *   sequences belong to another stream
 * @param now.first the sequence of the first event
 *
 * @example
 * reportedFirst({ at: '2026-05-01T00:00:00Z', detail: { first: 40 } }, { created: '2026-01-01T00:00:00Z', first: 50 }); // 40
 */
export function reportedFirst(
  event: unknown,
  { created, first }: { created: string; first: number },
): number {
  if (event === undefined) return 1;
  const { at, detail } = (event ?? {}) as { at?: unknown; detail?: { first?: unknown } };
  if (typeof at === 'string' && Date.parse(at) < Date.parse(created)) return 1;
  const reported = detail?.first;
  // events of earlier versions lack it: count from here on
  return typeof reported === 'number' ? reported : first;
}
