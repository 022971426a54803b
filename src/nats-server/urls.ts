import { NatsServerError } from '../errors.js';

/** The port of a nats-server for clients, and for the other servers of a cluster, unless said otherwise. */
export const CLIENT_PORT = 4222;
export const CLUSTER_PORT = 6222;

/** A host and its port. */
export interface Endpoint {
  host: string;
  port: number;
}

const SCHEMES: readonly string[] = ['nats:', 'tls:', 'ws:', 'wss:'];

/**
 * Checks URLs of servers, as `nats://host:4222` or `host:4222`.
 *
 * @throws NatsServerError `ERR_NATS_SERVER_URL`, also for one with a user or a password in it: credentials are files here
 */
export function checkServerUrls(urls: readonly string[]): string[] {
  const list = urls.flatMap((text) => text.split(',')).map((text) => text.trim());
  for (const text of list) serverEndpoint(text);
  return list;
}

/** The host and port that a server's URL names. @throws NatsServerError `ERR_NATS_SERVER_URL` */
export function serverEndpoint(text: string): Endpoint {
  const fail = (why: string): never => {
    throw new NatsServerError(
      'ERR_NATS_SERVER_URL',
      `not the URL of a nats-server: ${why}; give nats://host:${CLIENT_PORT}`,
    );
  };
  let url: URL;
  try {
    url = new URL(/^[a-z]+:\/\//i.test(text) ? text : `nats://${text}`);
  } catch {
    return fail(`"${text}" is no URL`);
  }
  // not shown: there may be a password in it
  if (url.username !== '' || url.password !== '') {
    return fail('it has a user or a password in it, and credentials are files here');
  }
  if (!SCHEMES.includes(url.protocol)) return fail(`"${text}" begins with ${url.protocol}//`);
  if (url.hostname === '') return fail(`"${text}" names no host`);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? CLIENT_PORT : Number(url.port),
  };
}

/** Whether a host is this machine and no other. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
