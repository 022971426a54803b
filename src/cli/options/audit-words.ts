// Separates patterns and kinds in the arguments of `zester audit`.
import { UsageError } from '../../errors.js';
import { AUDIT_KINDS } from '../../protocol/records/audit-event.js';
import { matchesGlob } from '../../protocol/glob.js';

/** The arguments of an `audit` command line, by kind. */
export interface AuditWords {
  patterns: string[];
  /** undefined: every kind. */
  kinds: string[] | undefined;
}

/**
 * Separates event kinds from patterns of peel IDs. A kind has a dot, which a peel ID cannot have, so a word after
 * `--kind a` is unambiguous.
 *
 * @param words the arguments
 * @param given the values of `--kind`, each of which may be a list with commas
 * @throws UsageError for an unknown kind: otherwise the output would be empty without a reason
 * @example auditWords(['key.revoked', 'web-*'], ['peel.*']); // { patterns: ['web-*'], kinds: ['peel.*', 'key.revoked'] }
 */
export function auditWords(words: readonly string[], given: readonly string[] | undefined): AuditWords {
  const isKind = (word: string) => given !== undefined && word.includes('.');
  const kinds = [...(given ?? []), ...words.filter(isKind)].flatMap((kind) => kind.split(','));
  const unknown = kinds.find((kind) => !AUDIT_KINDS.some((known) => matchesGlob(kind, known)));
  if (unknown !== undefined) {
    throw new UsageError(`--kind "${unknown}" is not a kind of event: use one of ${AUDIT_KINDS.join(', ')}`);
  }
  return {
    patterns: words.filter((word) => !isKind(word)),
    kinds: given === undefined ? undefined : kinds,
  };
}
