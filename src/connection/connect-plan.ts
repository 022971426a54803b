// Decides from the URLs and options how to encrypt a connection.
import { ConnectError } from '../errors.js';
import type { NatsOptions } from '../creds/nats-options.js';
import { pathOf } from '../files/path-of.js';
import { errorMessage } from '../text/error-message.js';
import { isLoopback, parseServerUrls, type ServerUrl } from './server-urls.js';

/** The paths of the TLS files. */
export interface TlsFilesOptions {
  /** The trusted certificate authorities (PEM); by default those of Node.js. */
  caFile?: string | undefined;
  /** The client certificate and its key (PEM), if the server requires one. */
  certFile?: string | undefined;
  keyFile?: string | undefined;
}

/** The client's TLS options; files may also be `file:` URLs. */
export interface TlsOptions extends Omit<NonNullable<NatsOptions['tls']>, 'caFile' | 'certFile' | 'keyFile'> {
  /** The trusted certificate authorities (PEM); by default those of Node.js. */
  caFile?: string | URL | undefined;
  /** The client certificate and its key (PEM), if the server requires one. */
  certFile?: string | URL | undefined;
  keyFile?: string | URL | undefined;
}

/** The client's own `tls` option. */
export type ClientTls = NonNullable<NatsOptions['tls']>;
type GivenTlsFiles = Pick<TlsOptions, keyof TlsFilesOptions>;

/** The requested connection settings. */
export interface ConnectionRequest<Tls extends object> {
  servers?: string | readonly string[] | undefined;
  /** The client's `tls`. If set, TLS is required, regardless of the URLs. */
  tls?: Tls | (Omit<Tls, keyof TlsFilesOptions> & GivenTlsFiles) | null | undefined;
  /** Refuse plain connections, except to this machine. */
  requireTls?: boolean | undefined;
}

/** The connection plan. */
export interface ConnectPlan<Tls extends object> {
  servers: ServerUrl[];
  urls: string[];
  /** If set, the client refuses a server without TLS at each connect, before it sends credentials. */
  tls: Tls | undefined;
  /** Ignore servers that the cluster announces: they may be neither encrypted nor on this machine. */
  ignoreClusterUpdates: boolean;
}

const DEFAULT_URL = 'nats://127.0.0.1:4222';

/**
 * Plans a connection. One `tls://` URL requires TLS of all servers, including announced ones, because the client moves
 * between servers on its own.
 *
 * @throws ConnectError `ERR_CONNECT_URL`, `ERR_CONNECT_NO_SERVERS`, `ERR_CONNECT_OPTIONS`, `ERR_CONNECT_PLAIN`
 */
export function planConnection<Tls extends object>(request: ConnectionRequest<Tls>): ConnectPlan<Tls> {
  const servers = parseServerUrls(request.servers ?? DEFAULT_URL);
  const wantsTls = servers.some(({ tls }) => tls);
  const { requireTls = false } = request;
  if (request.tls === null && (wantsTls || requireTls)) {
    throw new ConnectError('ERR_CONNECT_OPTIONS', 'tls is null, but TLS is required: omit it');
  }
  const tls = withPaths<Tls>(request.tls ?? (wantsTls ? {} : undefined));
  const { certFile, keyFile }: TlsFilesOptions = tls ?? {};
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new ConnectError(
      'ERR_CONNECT_OPTIONS',
      'certFile and keyFile must be given together (--tls-cert, --tls-key)',
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

/** @throws ConnectError `ERR_CONNECT_TLS_FILE` for a URL that is not a file on this machine */
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
