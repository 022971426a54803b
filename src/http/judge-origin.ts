// Decides whether a request may come from a page of another site.

/** The headers that a browser sets, and a page cannot. */
export interface OriginHeaders {
  host?: string | undefined;
  origin?: string | undefined;
  'sec-fetch-site'?: string | string[] | undefined;
}

/**
 * Whether a request is this page's own, or none of a page. A browser says the site of a page that sends a request: another
 * one, and another port of this machine too, is refused. What is no browser says nothing.
 */
export function isOwnOrigin({ host, origin, 'sec-fetch-site': site }: OriginHeaders): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  if (origin === undefined) return true;
  const own = host?.toLowerCase();
  return own !== undefined && [`http://${own}`, `https://${own}`].includes(origin.toLowerCase());
}
