// Filters, sorts and pages peels for a query of the HTTP interface.
import { fingerprint } from '../../protocol/fingerprint.js';
import { matchesGlob } from '../../protocol/glob.js';
import { parseLabelSelector, selectsLabels } from '../../protocol/label-selector.js';
import type { ListedPeel } from '../../protocol/messages.js';
import { labelText } from '../../protocol/records/labels.js';
import { sortPeels, type PeelOrder } from '../../protocol/records/peel-order.js';
import { currentKey, shownKey, type PeelState } from '../../protocol/records/record.js';
import { peelDocument, type PeelDocument } from '../fleet/peel-document.js';
import { ROW_FIELDS } from './schemas.js';

/** The query. */
export interface PeelsQuery {
  /** A substring of the ID, or a prefix of the fingerprint. */
  q?: string | undefined;
  pattern?: string | undefined;
  state?: PeelState | undefined;
  connected?: boolean | undefined;
  /** A label selector, such as `env=prod`. */
  labels?: string | undefined;
  /** Seconds. */
  expiringWithin?: number | undefined;
  sort?: 'id' | PeelOrder | undefined;
  /** Only peels after this ID, in the sort order. */
  after?: string | undefined;
  limit?: number | undefined;
  format?: 'documents' | 'rows' | undefined;
}

/** The default page size. */
const DEFAULT_LIMIT = 1_000;

/** A page of peels. */
export interface PeelsPage {
  peels?: PeelDocument[];
  fields?: readonly string[];
  rows?: (string | boolean | null)[][];
  /** The number of matches on all pages. */
  total: number;
  /** The ID to continue after; null: this is the last page. */
  next: string | null;
}

/**
 * Cost: one pass over all peels, and the sort.
 *
 * @param now milliseconds since 1970
 * @throws FleetError `ERR_FLEET_LABEL` for an invalid label selector
 */
export function listPeels(peels: Iterable<ListedPeel>, query: PeelsQuery, now: number): PeelsPage {
  const { sort = 'id', after, limit = DEFAULT_LIMIT, format = 'documents' } = query;
  const selector = query.labels === undefined ? undefined : parseLabelSelector(query.labels);
  const chosen: ListedPeel[] = [];
  for (const peel of peels)
    if (matches(peel, query, now) && (selector === undefined || selectsLabels(selector, peel.record.labels)))
      chosen.push(peel);
  const ordered = sortPeels(chosen, sort === 'id' ? undefined : sort);
  const from = after === undefined ? 0 : startAfter(ordered, after, sort);
  const page = ordered
    .slice(from, from + limit)
    .map(({ record, presence }) => peelDocument(record, presence, now));
  const rest = {
    total: ordered.length,
    next: from + limit < ordered.length ? (page.at(-1)?.id ?? null) : null,
  };
  return format === 'rows'
    ? {
        fields: ROW_FIELDS,
        rows: page.map((peel) =>
          ROW_FIELDS.map((field) => (field === 'labels' ? labelText(peel.labels) : peel[field])),
        ),
        ...rest,
      }
    : { peels: page, ...rest };
}

/** The start of the page. When sorted by ID, the peel need not exist any more. */
function startAfter(ordered: readonly ListedPeel[], after: string, sort: 'id' | PeelOrder): number {
  const found =
    sort === 'id'
      ? ordered.findIndex(({ record }) => record.id > after)
      : ordered.findIndex(({ record }) => record.id === after) + 1;
  return found < 0 ? ordered.length : found;
}

function matches({ record, presence }: ListedPeel, query: PeelsQuery, now: number): boolean {
  const { q, pattern, state, connected, expiringWithin } = query;
  if (state !== undefined && record.state !== state) return false;
  if (connected !== undefined && connected !== (presence?.connections.length ?? 0) > 0) return false;
  if (pattern !== undefined && !matchesGlob(pattern, record.id)) return false;
  if (expiringWithin !== undefined) {
    const expiresAt = currentKey(record)?.expiresAt;
    if (expiresAt === undefined || expiresAt > now / 1000 + expiringWithin) return false;
  }
  return q === undefined || matchesText(record, q.toLowerCase());
}

function matchesText(record: ListedPeel['record'], text: string): boolean {
  if (record.id.toLowerCase().includes(text)) return true;
  const key = shownKey(record);
  return /^[0-9a-f]{2,4}(-|$)/.test(text) && key !== undefined && fingerprint(key.publicKey).startsWith(text);
}
