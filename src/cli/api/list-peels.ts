// Filters, sorts and pages peels for a query of the HTTP interface.
import { ApiError } from '../../errors.js';
import { fingerprint } from '../../protocol/fingerprint.js';
import { matchesGlob } from '../../protocol/glob.js';
import { parseLabelSelector, selectsLabels } from '../../protocol/label-selector.js';
import type { ListedPeel } from '../../protocol/messages.js';
import { labelText } from '../../protocol/records/labels.js';
import type { PeelOrder } from '../../protocol/records/peel-order.js';
import { pageOfPeels, placeOfCursor } from '../../protocol/records/peel-page.js';
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
  /** The `next` of the page before, in the same order; by ID, any peel ID. */
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
  /** `after` of the next page; null: this is the last page. */
  next: string | null;
}

/**
 * Cost: one pass over all peels, and the sort.
 *
 * @param now milliseconds since 1970
 * @throws FleetError `ERR_FLEET_LABEL` for an invalid label selector; ApiError `ERR_API_REQUEST` for an `after` of another order
 */
export function listPeels(peels: Iterable<ListedPeel>, query: PeelsQuery, now: number): PeelsPage {
  const { sort = 'id', after, limit = DEFAULT_LIMIT, format = 'documents' } = query;
  const by = sort === 'id' ? undefined : sort;
  const place = after === undefined ? undefined : placeOfCursor(after, by);
  if (after !== undefined && place === undefined) throw notACursor(sort);
  const selector = query.labels === undefined ? undefined : parseLabelSelector(query.labels);
  const chosen: ListedPeel[] = [];
  for (const peel of peels)
    if (matches(peel, query, now) && (selector === undefined || selectsLabels(selector, peel.record.labels)))
      chosen.push(peel);
  const { peels: listed, total, next } = pageOfPeels(chosen, { by, after: place, limit });
  const page = listed.map(({ record, presence }) => peelDocument(record, presence, now));
  const rest = { total, next };
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

function notACursor(sort: 'id' | PeelOrder): ApiError {
  const what = sort === 'id' ? 'a peel ID' : `the "next" of a page with sort=${sort}`;
  return new ApiError('ERR_API_REQUEST', `the query is invalid: after: is not ${what}`);
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
