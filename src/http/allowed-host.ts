// Decides which HTTP Host headers are accepted (DNS rebinding).
import { isIP } from 'node:net';

/**
 * Whether an HTTP request that names this host may be answered: one that does not come from a web page whose own name was
 * made to point at this machine (DNS rebinding). A page can only do so with a *name* of its own. So an IP address is
 * fine, and so are the names that this machine has by itself: `localhost`, its host name, and the configured one.
 *
 * @param header the request's `Host`
 * @param names the configured host and this machine's host name
 */
export function isAllowedHost(header: string | undefined, names: readonly string[]): boolean {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(header ?? '');
  const host = (parts?.[1] ?? parts?.[2] ?? '').toLowerCase();
  if (host === '') return false;
  // brackets are for version 6, and only for it
  if (parts?.[1] !== undefined) return isIP(host) === 6;
  return isIP(host) === 4 || ['localhost', ...names].some((name) => name.toLowerCase() === host);
}
