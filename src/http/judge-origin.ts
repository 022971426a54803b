// Decides whether a request is cross-site.

/** The headers that browsers set and pages cannot. */
export interface OriginHeaders {
  host?: string | undefined;
  origin?: string | undefined;
  'sec-fetch-site'?: string | string[] | undefined;
}

/**
 * Whether a request is from this page, or not from a page at all. A browser names the site of the page that sends a
 * request: another site, and another port of this machine, is refused. Other clients send no such headers.
 */
export function isOwnOrigin({ host, origin, 'sec-fetch-site': site }: OriginHeaders): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  if (origin === undefined) return true;
  const own = host?.toLowerCase();
  return own !== undefined && [`http://${own}`, `https://${own}`].includes(origin.toLowerCase());
}
