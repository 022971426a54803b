// Decides how a list of connections is read in pages while connections come and go.
import { MAX_PAGE_BYTES } from './page-sizes.js';

/** The first page. However large its connections' data, it does not exceed the message size. */
export const FIRST_PAGE = 256;

/** The largest page. A server scans all its connections for each page, so a few large ones are cheaper than many. */
const MAX_PAGE = 32_768;

/** The approximate size that a JWT adds to a connection in a page, in bytes. */
const JWT_BYTES = 1_000;

/**
 * The number of connections that the next page repeats. When a connection ends, later ones move forward: this many may
 * end between two pages without one being missed.
 */
export const OVERLAP = 32;

/** An answered page. */
export interface Page {
  /** Its offset. */
  offset: number;
  /** The number of requested connections. */
  limit: number;
  /** The number of connections in it. */
  count: number;
  /** Its size in bytes. */
  bytes: number;
}

/**
 * The next page; undefined: this was the last one.
 *
 * @param maxBytes the maximum bytes of an answer
 * @example nextPage({ offset: 0, limit: 256, count: 256, bytes: 256_000 }); // { offset: 224, limit: 8_192 }
 */
export function nextPage(
  { offset, limit, count, bytes }: Page,
  maxBytes = MAX_PAGE_BYTES,
): Pick<Page, 'offset' | 'limit'> | undefined {
  if (count < limit) return undefined;
  return { offset: offset + count - OVERLAP, limit: pageSizeFor(bytes / count, maxBytes) };
}

/**
 * The size of the first page with JWTs, for a list that was read without them.
 *
 * @param bytesEach size per connection in it, in bytes; undefined: it was empty
 */
export function firstPageWithJwts(bytesEach: number | undefined, maxBytes = MAX_PAGE_BYTES): number {
  return bytesEach === undefined ? FIRST_PAGE : pageSizeFor(bytesEach + JWT_BYTES, maxBytes);
}

function pageSizeFor(bytesEach: number, maxBytes: number): number {
  return Math.min(MAX_PAGE, Math.max(FIRST_PAGE, Math.floor(maxBytes / Math.max(1, bytesEach))));
}

/**
 * Whether nothing was missed between a page and the previous one. Servers list connections by number, and numbers
 * only grow.
 *
 * @param last the last number of the page before; undefined: this is the first
 * @param cids the numbers of this page
 */
export function continuesPage(last: number | undefined, cids: readonly number[]): boolean {
  if (cids.some((cid, i) => i > 0 && cid <= (cids[i - 1] ?? 0))) return false;
  const [first] = cids;
  // an empty page proves nothing: all repeated connections, and more, may have ended
  return last === undefined || (first !== undefined && first <= last);
}

/** Up to this many wanted connections are requested one by one instead of in pages. */
export const MAX_SINGLE_REQUESTS = 64;
