// Decides how a list of connections is read in pages while connections come and go.

/** As many as a server gives in one answer without making it larger than a message may be. */
export const PAGE = 256;

/**
 * How many connections of a page the next one repeats. A connection that ends moves those after it forward: so many may
 * end between two pages without one being missed.
 */
const OVERLAP = 32;

/**
 * Where the next page begins; undefined: this was the last.
 *
 * @param count how many this page has
 */
export function nextOffset(offset: number, count: number): number | undefined {
  return count < PAGE ? undefined : offset + PAGE - OVERLAP;
}

/**
 * Whether nothing was missed between a page and the one before. Servers list connections in the order of their numbers,
 * which only grow.
 *
 * @param last the last number of the page before; undefined: this is the first
 * @param cids the numbers of this page
 */
export function continuesPage(last: number | undefined, cids: readonly number[]): boolean {
  if (cids.some((cid, i) => i > 0 && cid <= (cids[i - 1] ?? 0))) return false;
  const [first] = cids;
  // an empty page says nothing: everything that it repeats may have ended, and more besides
  return last === undefined || (first !== undefined && first <= last);
}
