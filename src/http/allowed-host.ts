// Decides which HTTP Host headers are accepted (DNS rebinding).
import { isIP } from 'node:net';

/**
 * Whether to answer an HTTP request with this `Host`. A web page can point its own domain name at this machine (DNS
 * rebinding), but it needs a *name* for that. So an IP address is accepted, and so are this machine's own names:
 * `localhost`, its host name, and the configured host.
 *
 * @param header the request's `Host`
 * @param names the configured host and this machine's host name
 */
export function isAllowedHost(header: string | undefined, names: readonly string[]): boolean {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(header ?? '');
  const host = (parts?.[1] ?? parts?.[2] ?? '').toLowerCase();
  if (host === '') return false;
  // brackets are for IPv6 only
  if (parts?.[1] !== undefined) return isIP(host) === 6;
  return isIP(host) === 4 || ['localhost', ...names].some((name) => name.toLowerCase() === host);
}
