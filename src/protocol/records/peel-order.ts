// Sorts peels for lists: by state, by expiry, or by when they were last seen.
import { isPeelConnected } from './effective-presence.js';
import type { PeelConnection } from './presence.js';
import { PEEL_STATES, shownKey, type PeelRecord } from './record.js';

/** The sort orders of peels, besides their IDs. */
export const PEEL_ORDERS = ['state', 'expires', 'seen'] as const;
export type PeelOrder = (typeof PEEL_ORDERS)[number];

/** The fields of a peel that the order depends on. */
export interface OrderedPeel {
  record: PeelRecord;
  presence?: { connections: readonly PeelConnection[]; lastSeen?: string | undefined } | undefined;
}

/** The sort keys: smaller ones come first. */
const SORT_KEYS: Readonly<Record<PeelOrder, (peel: OrderedPeel) => number>> = {
  state: ({ record }) => PEEL_STATES.indexOf(record.state),
  // soonest first
  expires: ({ record }) => shownKey(record)?.expiresAt ?? Infinity,
  // connected peels first, then the latest
  seen: ({ record, presence }) => {
    if (isPeelConnected(record, presence)) return -Infinity;
    const at = Date.parse(presence?.lastSeen ?? '');
    return Number.isNaN(at) ? Infinity : -at;
  },
};

/** A peel's place in an order: its sort key, and its ID, which decides between equal keys. */
export interface PeelPlace {
  /** Not NaN. */
  key: number;
  id: string;
}

/** @param by undefined: by ID */
export function placeOf(peel: OrderedPeel, by: PeelOrder | undefined): PeelPlace {
  return { key: by === undefined ? 0 : SORT_KEYS[by](peel), id: peel.record.id };
}

/** Negative: `one` comes before `other`. */
export function comparePlaces(one: PeelPlace, other: PeelPlace): number {
  return compare(one.key, other.key) || compare(one.id, other.id);
}

/**
 * Sorts peels; ties are in the order of their IDs.
 *
 * @param by undefined: by ID
 */
export function sortPeels<T extends OrderedPeel>(peels: Iterable<T>, by: PeelOrder | undefined): T[] {
  const placed = Array.from(peels, (peel) => ({ peel, place: placeOf(peel, by) }));
  placed.sort((one, other) => comparePlaces(one.place, other.place));
  return placed.map(({ peel }) => peel);
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
