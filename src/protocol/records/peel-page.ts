// Pages of a sorted list of peels, and the cursors that continue them.
import { isPeelId } from '../../permissions/peel-id.js';
import { comparePlaces, placeOf, sortPeels } from './peel-order.js';
import type { OrderedPeel, PeelOrder, PeelPlace } from './peel-order.js';

/** The longest cursor: an order, a number and the longest ID, encoded. */
export const MAX_CURSOR = 256;

/** The options of {@link pageOfPeels}. */
export interface PeelPageOptions {
  /** undefined: by ID */
  by: PeelOrder | undefined;
  /** The place to continue after; undefined: the first page. */
  after: PeelPlace | undefined;
  /** undefined: all */
  limit: number | undefined;
}

/** A page of peels. */
export interface PeelPage<T> {
  peels: T[];
  /** The number of peels on all pages. */
  total: number;
  /** The cursor of the next page; null: this is the last one. */
  next: string | null;
}

/**
 * A page of peels. It continues after a place, whether or not a peel has that place any more: peels that change between
 * two pages make no other peel appear twice, or not at all.
 */
export function pageOfPeels<T extends OrderedPeel>(
  peels: Iterable<T>,
  { by, after, limit }: PeelPageOptions,
): PeelPage<T> {
  let total = 0;
  const left: T[] = [];
  for (const peel of peels) {
    total += 1;
    if (after === undefined || comparePlaces(placeOf(peel, by), after) > 0) left.push(peel);
  }
  const page = sortPeels(left, by).slice(0, limit);
  const last = page.length < left.length ? page.at(-1) : undefined;
  return { peels: page, total, next: last === undefined ? null : cursorOf(placeOf(last, by), by) };
}

/**
 * The cursor of a place. By ID it is the ID, with which clients can start anywhere; otherwise it is opaque, and no ID:
 * a cursor of another order is detected.
 */
export function cursorOf({ key, id }: PeelPlace, by: PeelOrder | undefined): string {
  return by === undefined ? id : `${by}.${Buffer.from(`${key} ${id}`).toString('base64url')}`;
}

/**
 * The place that a cursor of this order names.
 *
 * @param cursor untrusted
 * @returns undefined: it is not a cursor of this order
 */
export function placeOfCursor(cursor: string, by: PeelOrder | undefined): PeelPlace | undefined {
  const encoded = cursor.slice(cursor.indexOf('.') + 1);
  const text = by === undefined ? `0 ${cursor}` : Buffer.from(encoded, 'base64url').toString();
  const [number = '', id = ''] = text.split(' ', 2);
  const place = { key: Number(number), id };
  // equal when it is encoded again: its order is this one, its number has one form, and nothing is left over
  const isWhole = cursorOf(place, by) === cursor;
  return isWhole && !Number.isNaN(place.key) && isPeelId(id) ? place : undefined;
}
