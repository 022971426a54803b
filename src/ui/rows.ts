// The rows of the list of peels: parsing, search, filters and sorting.
import type { PeelDocument } from '../cli/fleet/peel-document.js';
import { labelText } from '../protocol/records/labels.js';

/** A peel in the list: few fields, since there may be 50,000 rows. */
export interface Row {
  id: string;
  state: string;
  connected: boolean;
  expiresAt: string | null;
  lastSeen: string | null;
  fingerprint: string | null;
  keyState: string | null;
  createdAt: string;
  origin: string | null;
  rotationAskedAt: string | null;
  /** As `env=prod,rack=7`. */
  labels: string;
}

export const SORT_COLUMNS = ['id', 'state', 'connected', 'expiresAt', 'lastSeen', 'createdAt'] as const;
export type SortColumn = (typeof SORT_COLUMNS)[number];

/** The search, filters and order of the list. */
export interface RowQuery {
  text: string;
  state: string;
  connected: '' | 'yes' | 'no';
  /** Seconds; 0: any. */
  expiringWithin: number;
  sort: SortColumn;
  descending: boolean;
}

export const EVERYTHING: RowQuery = {
  text: '',
  state: '',
  connected: '',
  expiringWithin: 0,
  sort: 'id',
  descending: false,
};

/** The row of a peel document. */
export function rowOf(peel: PeelDocument): Row {
  const {
    id,
    state,
    connected,
    expiresAt,
    lastSeen,
    fingerprint,
    keyState,
    createdAt,
    origin,
    rotationAskedAt,
  } = peel;
  const labels = labelText(peel.labels);
  return {
    id,
    state,
    connected,
    expiresAt,
    lastSeen,
    fingerprint,
    keyState,
    createdAt,
    origin,
    rotationAskedAt,
    labels,
  };
}

/** The rows of an answer with `format=rows`. */
export function rowsOf(fields: readonly string[], rows: readonly (readonly unknown[])[]): Row[] {
  return rows.map(
    (values) => Object.fromEntries(fields.map((field, i) => [field, values[i] ?? null])) as unknown as Row,
  );
}

/**
 * The rows that match a query, in its order.
 *
 * @param rows ordered by ID
 * @param now milliseconds since 1970
 */
export function chooseRows(rows: readonly Row[], query: RowQuery, now: number): readonly Row[] {
  const { sort, descending } = query;
  const chosen = isAll(query) ? rows : rows.filter(filterOf(query, now));
  if (sort === 'id') return descending ? chosen.toReversed() : chosen;
  // numbers sort several times faster than strings; equal rows stay ordered by ID
  const place = PLACES[sort];
  const sign = descending ? -1 : 1;
  return chosen
    .map((row) => ({ row, at: place(row) }))
    .sort((one, other) => sign * compare(one.at, other.at))
    .map(({ row }) => row);
}

/** Not a subtraction, because the difference of two infinite values is NaN. */
function compare(one: number, other: number): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function isAll({ text, state, connected, expiringWithin }: RowQuery): boolean {
  return text === '' && state === '' && connected === '' && expiringWithin === 0;
}

function filterOf(query: RowQuery, now: number): (row: Row) => boolean {
  const text = query.text.trim().toLowerCase();
  const { state, connected, expiringWithin } = query;
  const until = now + expiringWithin * 1000;
  return (row) =>
    (text === '' ||
      row.id.toLowerCase().includes(text) ||
      row.labels.toLowerCase().includes(text) ||
      (row.fingerprint ?? '').startsWith(text)) &&
    (state === '' || row.state === state) &&
    (connected === '' || row.connected === (connected === 'yes')) &&
    (expiringWithin === 0 || (row.expiresAt !== null && isInUse(row) && Date.parse(row.expiresAt) <= until));
}

/** Whether the peel uses its credential, so that the expiry matters. */
export function isInUse({ state, keyState }: Row): boolean {
  return (state === 'accepted' || state === 'active') && (keyState === 'issued' || keyState === 'live');
}

const STATES = ['pending', 'accepted', 'active', 'rejected', 'revoked'];
const time = (iso: string | null, otherwise: number) => (iso === null ? otherwise : Date.parse(iso));

const PLACES: Readonly<Record<Exclude<SortColumn, 'id'>, (row: Row) => number>> = {
  state: ({ state }) => STATES.indexOf(state),
  connected: ({ connected }) => (connected ? 0 : 1),
  expiresAt: ({ expiresAt }) => time(expiresAt, Infinity),
  lastSeen: ({ connected, lastSeen }) => (connected ? Infinity : time(lastSeen, -Infinity)),
  createdAt: ({ createdAt }) => time(createdAt, 0),
};
