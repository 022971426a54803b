// Chooses, orders and pages the peels that a query of the HTTP interface asks for.
import { fingerprint } from '../../protocol/fingerprint.js';
import { matchesGlob } from '../../protocol/glob.js';
import { parseLabelSelector, selectsLabels } from '../../protocol/label-selector.js';
import type { ListedPeel } from '../../protocol/messages.js';
import { labelText } from '../../protocol/records/labels.js';
import { inOrder, type PeelOrder } from '../../protocol/records/peel-order.js';
import { currentKey, shownKey, type PeelState } from '../../protocol/records/record.js';
import { peelDocument, type PeelDocument } from '../fleet/peel-document.js';
import { ROW_FIELDS } from './schemas.js';

/** Which peels, in which order and form. */
export interface PeelsQuery {
  /** Text that is in the ID or begins the fingerprint. */
  q?: string | undefined;
  pattern?: string | undefined;
  state?: PeelState | undefined;
  connected?: boolean | undefined;
  /** A label selector, such as `env=prod`. */
  labels?: string | undefined;
  /** Seconds. */
  expiringWithin?: number | undefined;
  sort?: 'id' | PeelOrder | undefined;
  /** Of those after this ID in the order. */
  after?: string | undefined;
  limit?: number | undefined;
  format?: 'documents' | 'rows' | undefined;
}

/** What programs get that ask for no number. */
const DEFAULT_LIMIT = 1_000;

/** A page of peels. */
export interface PeelsPage {
  peels?: PeelDocument[];
  fields?: readonly string[];
  rows?: (string | boolean | null)[][];
  /** How many match, on all pages. */
  total: number;
  /** The ID to continue after; null: this is the last page. */
  next: string | null;
}

/**
 * Cost: one look at each peel, and the sort.
 *
 * @param now milliseconds since 1970
 * @throws FleetError `ERR_FLEET_LABEL` for what is not a label selector
 */
export function listPeels(peels: Iterable<ListedPeel>, query: PeelsQuery, now: number): PeelsPage {
  const { sort = 'id', after, limit = DEFAULT_LIMIT, format = 'documents' } = query;
  const selector = query.labels === undefined ? undefined : parseLabelSelector(query.labels);
  const chosen: ListedPeel[] = [];
  for (const peel of peels)
    if (isAsked(peel, query, now) && (selector === undefined || selectsLabels(selector, peel.record.labels)))
      chosen.push(peel);
  const ordered = inOrder(chosen, sort === 'id' ? undefined : sort);
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

/** Where the page begins. In the order of IDs the peel need not be there any more. */
function startAfter(ordered: readonly ListedPeel[], after: string, sort: 'id' | PeelOrder): number {
  const found =
    sort === 'id'
      ? ordered.findIndex(({ record }) => record.id > after)
      : ordered.findIndex(({ record }) => record.id === after) + 1;
  return found < 0 ? ordered.length : found;
}

function isAsked({ record, presence }: ListedPeel, query: PeelsQuery, now: number): boolean {
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
