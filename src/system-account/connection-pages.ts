// Decides how a list of connections is read in pages while connections come and go.

/** The first page. However much its connections say about themselves, it is no larger than a message may be. */
export const FIRST_PAGE = 256;

/** The largest page. A server looks at all its connections for each page, so few large ones cost it less than many. */
const MAX_PAGE = 8_192;

/** An answer is to have no more bytes than this: servers cut a client that lets tens of millions pile up. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

/** What a JWT adds to a connection of a page, about, in bytes. */
const JWT_BYTES = 1_000;

/**
 * How many connections of a page the next one repeats. A connection that ends moves those after it forward: so many may
 * end between two pages without one being missed.
 */
export const OVERLAP = 32;

/** A page as it was answered. */
export interface Page {
  /** Where it begins. */
  offset: number;
  /** How many connections were asked for. */
  limit: number;
  /** How many it has. */
  count: number;
  /** Its size. */
  bytes: number;
}

/**
 * The next page; undefined: this was the last.
 *
 * @example nextPage({ offset: 0, limit: 256, count: 256, bytes: 256_000 }); // { offset: 224, limit: 8_192 }
 */
export function nextPage({ offset, limit, count, bytes }: Page): Pick<Page, 'offset' | 'limit'> | undefined {
  if (count < limit) return undefined;
  return { offset: offset + count - OVERLAP, limit: fitting(bytes / count) };
}

/**
 * The size of the first page with JWTs, of a list that has been read without them.
 *
 * @param bytesEach what a connection of it took, in bytes; undefined: it had none
 */
export function firstPageWithJwts(bytesEach: number | undefined): number {
  return bytesEach === undefined ? FIRST_PAGE : fitting(bytesEach + JWT_BYTES);
}

function fitting(bytesEach: number): number {
  return Math.min(MAX_PAGE, Math.max(FIRST_PAGE, Math.floor(MAX_PAGE_BYTES / Math.max(1, bytesEach))));
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

/** Connections that are asked for one by one, rather than in pages, where few of many are wanted. */
export const SINGLY = 64;
