// Checks that a home's commands could use a local server without TLS.
import { isLoopback, parseServerUrls } from '../connection/server-urls.js';
import type { TrustDomain } from '../trust/domain.js';

/**
 * Why all commands of a home would refuse a server without TLS on this machine.
 *
 * @returns undefined if they would not
 * @throws ConnectError `ERR_CONNECT_URL` of the home's servers
 */
export function plainServerProblem({
  tls,
  servers,
  paths,
}: Pick<TrustDomain, 'tls' | 'servers' | 'paths'>): string | undefined {
  const urls = servers.length === 0 ? [] : parseServerUrls(servers);
  const isLocal = urls.some(({ host }) => isLoopback(host));
  const why =
    tls !== undefined
      ? '"tls"'
      : isLocal && urls.some((url) => url.tls)
        ? 'a tls:// URL in "servers"'
        : undefined;
  return (
    why &&
    `this server would have no TLS, but the commands of this home require it (${why} in ${paths.settings})`
  );
}
