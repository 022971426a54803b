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
    return presence?.lastSeen === undefined ? Infinity : -Date.parse(presence.lastSeen);
  },
};

/**
 * Sorts peels; ties are in the order of their IDs.
 *
 * @param by undefined: by ID
 */
export function sortPeels<T extends OrderedPeel>(peels: Iterable<T>, by: PeelOrder | undefined): T[] {
  const keyOf = by === undefined ? () => 0 : SORT_KEYS[by];
  const keyed = Array.from(peels, (peel) => ({ peel, key: keyOf(peel), id: peel.record.id }));
  keyed.sort((a, b) => compare(a.key, b.key) || compare(a.id, b.id));
  return keyed.map(({ peel }) => peel);
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
