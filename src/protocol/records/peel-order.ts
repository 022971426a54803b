// Orders peels for lists: by state, by expiry, or by when they were last seen.
import { isConnectedInForce } from './presence-in-force.js';
import type { PeelConnection } from './presence.js';
import { PEEL_STATES, shownKey, type PeelRecord } from './record.js';

/** What peels can be ordered by, besides their IDs. */
export const PEEL_ORDERS = ['state', 'expires', 'seen'] as const;
export type PeelOrder = (typeof PEEL_ORDERS)[number];

/** What the order of a peel depends on. */
export interface OrderedPeel {
  record: PeelRecord;
  presence?: { connections: readonly PeelConnection[]; lastSeen?: string | undefined } | undefined;
}

/** The place of a peel: smaller ones come first. */
const PLACES: Readonly<Record<PeelOrder, (peel: OrderedPeel) => number>> = {
  state: ({ record }) => PEEL_STATES.indexOf(record.state),
  // the soonest first
  expires: ({ record }) => shownKey(record)?.expiresAt ?? Infinity,
  // the latest first, and those that are connected before
  seen: ({ record, presence }) => {
    if (isConnectedInForce(record, presence)) return -Infinity;
    return presence?.lastSeen === undefined ? Infinity : -Date.parse(presence.lastSeen);
  },
};

/**
 * Peels in an order; those that are alike are in the order of their IDs. The cost is one look at each peel, and the sort.
 *
 * @param by undefined: their IDs
 */
export function inOrder<T extends OrderedPeel>(peels: Iterable<T>, by: PeelOrder | undefined): T[] {
  const place = by === undefined ? () => 0 : PLACES[by];
  const placed = Array.from(peels, (peel) => ({ peel, at: place(peel), id: peel.record.id }));
  placed.sort((a, b) => compare(a.at, b.at) || compare(a.id, b.id));
  return placed.map(({ peel }) => peel);
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
