// Decides from URLs and options how a connection is encrypted.
import { ConnectError } from '../errors.js';
import type { NatsOptions } from '../creds/nats-options.js';
import { pathOf } from '../files/path-of.js';
import { errorMessage } from '../text/error-message.js';
import { isLoopback, parseServerUrls, type ServerUrl } from './server-urls.js';

/** How a connection is encrypted: by files, each with its path. */
export interface TlsFilesOptions {
  /** The authorities that the server's certificate may come from (PEM); those of Node.js by default. */
  caFile?: string | undefined;
  /** This side's certificate, where the server asks for one, and its key (PEM). */
  certFile?: string | undefined;
  keyFile?: string | undefined;
}

/** The client's options for TLS; the files may be given by `file:` URLs, too. */
export interface TlsOptions extends Omit<NonNullable<NatsOptions['tls']>, 'caFile' | 'certFile' | 'keyFile'> {
  /** The authorities that the server's certificate may come from (PEM); those of Node.js by default. */
  caFile?: string | URL | undefined;
  /** This side's certificate, where the server asks for one, and its key (PEM). */
  certFile?: string | URL | undefined;
  keyFile?: string | URL | undefined;
}

/** The client's own. */
export type ClientTls = NonNullable<NatsOptions['tls']>;
type GivenTlsFiles = Pick<TlsOptions, keyof TlsFilesOptions>;

/** What a connection is asked for. */
export interface ConnectWishes<Tls extends object> {
  servers?: string | readonly string[] | undefined;
  /** The client's `tls`. Given, TLS is required, whatever the URLs say. */
  tls?: Tls | (Omit<Tls, keyof TlsFilesOptions> & GivenTlsFiles) | null | undefined;
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
  const tls = withPaths<Tls>(wishes.tls ?? (wantsTls ? {} : undefined));
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

/** @throws ConnectError `ERR_CONNECT_TLS_FILE` for a URL that names no file of this machine */
function withPaths<Tls extends object>(tls: object | undefined): Tls | undefined {
  if (tls === undefined) return undefined;
  const paths: Record<string, unknown> = { ...tls };
  for (const name of ['caFile', 'certFile', 'keyFile']) {
    const given = paths[name];
    if (!(given instanceof URL)) continue;
    try {
      paths[name] = pathOf(given);
    } catch (cause) {
      throw new ConnectError('ERR_CONNECT_TLS_FILE', `${name}: ${errorMessage(cause)}`, { cause });
    }
  }
  return paths as Tls;
}
