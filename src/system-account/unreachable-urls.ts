// Finds server URLs without a responding server.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as dial, isIP } from 'node:net';
import { parseServerUrl } from '../connection/server-urls.js';
import type { ServerInfo } from './servers.js';
import { DIAL_PROBE_TIMEOUT_MS } from '../timing.js';

/**
 * The server URLs without an answer: servers of the cluster that are down, whose names the others may not know. Servers
 * that the cluster itself announces are not tried.
 */
export async function unreachableUrls(
  nc: NatsConnection,
  urls: readonly string[],
  up: readonly ServerInfo[],
): Promise<string[]> {
  if (urls.length < 2 && up.length < 2) return [];
  const known = new Set([nc.getServer(), ...(nc.info?.connect_urls ?? [])]);
  const dead = await Promise.all(
    urls.map(async (url) => {
      const { host, port } = parseServerUrl(url);
      const text = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
      return known.has(text) || (await answers(host, port)) ? [] : [url];
    }),
  );
  return dead.flat();
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial({ host, port, timeout: DIAL_PROBE_TIMEOUT_MS });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
