// Decides from URLs and options how a connection is encrypted.
import { ConnectError } from '../errors.js';
import { isLoopback, parseServerUrls, type ServerUrl } from './server-urls.js';

/** How a connection is encrypted. */
export interface TlsFilesOptions {
  /** The authorities that the server's certificate may come from (PEM); those of Node.js by default. */
  caFile?: string | undefined;
  /** This side's certificate, where the server asks for one, and its key (PEM). */
  certFile?: string | undefined;
  keyFile?: string | undefined;
}

/** What a connection is asked for. */
export interface ConnectWishes<Tls extends object> {
  servers?: string | readonly string[] | undefined;
  /** The client's `tls`. Given, TLS is required, whatever the URLs say. */
  tls?: Tls | null | undefined;
  /** Refuse a plain connection to anything but this machine. */
  requireTls?: boolean | undefined;
}

/** How it is made. */
export interface ConnectPlan<Tls extends object> {
  servers: ServerUrl[];
  urls: string[];
  /** With it, the client refuses every server that offers no TLS: before it sends the credentials, at each connect. */
  tls: Tls | undefined;
  /** Do not use the servers that the cluster announces: nothing says that they are reached over TLS or on this machine. */
  ignoreClusterUpdates: boolean;
}

const DEFAULT_URL = 'nats://127.0.0.1:4222';

/**
 * Decides how a connection is made. One `tls://` among the URLs requires TLS of all of them, and of those that the cluster
 * announces: a connection goes from one to the other by itself.
 *
 * @throws ConnectError `ERR_CONNECT_URL`, `ERR_CONNECT_NO_SERVERS`, `ERR_CONNECT_OPTIONS`, `ERR_CONNECT_PLAIN`
 */
export function planConnection<Tls extends object>(wishes: ConnectWishes<Tls>): ConnectPlan<Tls> {
  const servers = parseServerUrls(wishes.servers ?? DEFAULT_URL);
  const wantsTls = servers.some(({ tls }) => tls);
  const { requireTls = false } = wishes;
  if (wishes.tls === null && (wantsTls || requireTls)) {
    throw new ConnectError('ERR_CONNECT_OPTIONS', 'tls is null, but TLS is required: omit it');
  }
  const tls = wishes.tls ?? (wantsTls ? ({} as Tls) : undefined);
  const { certFile, keyFile }: TlsFilesOptions = tls ?? {};
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new ConnectError(
      'ERR_CONNECT_OPTIONS',
      'a certificate needs its key, and a key its certificate: give certFile and keyFile (--tls-cert, --tls-key)',
    );
  }
  if (requireTls && tls === undefined) {
    const plain = servers.find(({ host }) => !isLoopback(host));
    if (plain !== undefined) {
      throw new ConnectError(
        'ERR_CONNECT_PLAIN',
        `${plain.url} would not be encrypted, but TLS is required: use ${plain.url.replace('nats:', 'tls:')}`,
      );
    }
  }
  return {
    servers,
    urls: servers.map(({ url }) => url),
    tls,
    ignoreClusterUpdates: requireTls && tls === undefined,
  };
}
