// Parses, validates and formats server URLs.
import { isIP } from 'node:net';
import { ConnectError } from '../errors.js';

/** The default client port of nats-server. */
export const CLIENT_PORT = 4222;

/** A host and its port. */
export interface Endpoint {
  host: string;
  port: number;
}

/** One server, from its URL. */
export interface ServerUrl extends Endpoint {
  /** The URL, with scheme and port. Safe to print: it never contains a user or a password. */
  url: string;
  /** `tls://`: the connection must be encrypted. */
  tls: boolean;
}

const GIVE_URLS = `give nats://host:${CLIENT_PORT}, or tls://host:${CLIENT_PORT}`;

/** Splits comma-separated lists of URLs, and trims the URLs. */
export function splitServerUrls(given: string | readonly string[]): string[] {
  return [given]
    .flat()
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

/**
 * Parses server URLs such as `nats://host:4222`, `tls://host` or `host:4222`: one, several, or several separated by
 * commas. A URL with a user or a password is refused without showing it: the client ignores both, so a connection
 * would silently not use them. Credentials are files.
 *
 * @throws ConnectError `ERR_CONNECT_URL`, `ERR_CONNECT_NO_SERVERS`
 */
export function parseServerUrls(given: string | readonly string[]): ServerUrl[] {
  // before splitting at commas: a password may contain one
  for (const text of [given].flat()) {
    if (typeof text !== 'string') throw badUrl(`a server must be a string, not a ${typeof text}`);
    const at = text.lastIndexOf('@');
    if (at >= 0) {
      throw badUrl(
        `the URL of ${hostText(text.slice(at + 1))} contains a user or a password: pass a credentials file instead (--creds)`,
      );
    }
  }
  const urls = splitServerUrls(given);
  if (urls.length === 0) {
    throw new ConnectError('ERR_CONNECT_NO_SERVERS', `no server given; ${GIVE_URLS}`);
  }
  return urls.map(parseServerUrl);
}

/** Like {@link parseServerUrls}, for one URL. @throws ConnectError `ERR_CONNECT_URL` */
export function parseServerUrl(text: string): ServerUrl {
  if (text.includes('@')) return parseServerUrls([text])[0] as ServerUrl;
  const scheme = (/^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1] ?? 'nats').toLowerCase();
  if (scheme !== 'nats' && scheme !== 'tls') {
    const why = scheme.startsWith('ws') ? ': NATS over WebSocket is not supported in Node.js' : '';
    throw badUrl(`"${scheme}://" is not supported${why}`);
  }
  const rest = text.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '');
  // an IPv6 address without brackets would be parsed as a host and its port
  const bare = isIP(rest) === 6 ? `[${rest}]` : rest;
  let url: URL;
  try {
    // as the client does, which parses hosts as browsers do; "https", since "http" drops port 80
    url = new URL(`${/:80\/?$/.test(bare) ? 'https' : 'http'}://${bare}`);
  } catch {
    // not repeated: it may be part of a password that was split
    throw badUrl(`the URL of ${hostText(rest)} is invalid`);
  }
  if (url.hostname === '' || /[\s%]/.test(url.hostname)) {
    throw badUrl(`the URL of ${hostText(rest)} has no host`);
  }
  if ((url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '') {
    throw badUrl(`the URL of ${url.host} has more than a host and a port`);
  }
  const port = url.port !== '' ? Number(url.port) : /:443\/?$/.test(bare) ? 443 : CLIENT_PORT;
  return {
    url: `${scheme}://${url.hostname}:${port}`,
    tls: scheme === 'tls',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
  };
}

/**
 * The printable form of a list of URLs from a file: valid URLs as parsed, and only the host of invalid ones. The result
 * cannot be used as a URL.
 */
export function showServerUrls(given: string | readonly string[]): string[] {
  return [given].flat().flatMap((text) => {
    const at = text.lastIndexOf('@');
    return at >= 0 ? [`***${text.slice(at)}`] : splitServerUrls(text).map(showServerUrl);
  });
}

function showServerUrl(text: string): string {
  try {
    return parseServerUrl(text).url;
  } catch {
    const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(text) ?? [];
    return `${scheme}${/^[a-z0-9._-]+/i.exec(rest)?.[0] ?? ''}:***`;
  }
}

/** The printable host of an invalid URL, which never includes a password. */
function hostText(text: string): string {
  const host = /^\[[0-9a-f:]+\]|^[a-z0-9._-]+/i.exec(text)?.[0];
  return host === undefined ? 'a server' : `"${host}"`;
}

function badUrl(why: string): ConnectError {
  return new ConnectError('ERR_CONNECT_URL', `${why}; ${GIVE_URLS}`);
}

/** Whether a host is this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
