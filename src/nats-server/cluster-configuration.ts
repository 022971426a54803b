// The nats-server configurations of a cluster.
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { NatsServerError } from '../errors.js';
import type { TrustDomain } from '../trust/domain.js';
import type { NatsServerConfigurationOptions } from './configuration.js';
import { CLIENT_PORT } from '../connection/server-urls.js';
import { domainServerConfiguration } from './write-configuration.js';

/** The default port of a nats-server for the other servers of its cluster. */
const CLUSTER_PORT = 6222;

/** One server of a cluster. */
export interface ClusterNode {
  /** Its name, by which the servers distinguish each other. */
  name: string;
  /** The address where the others, and clients, reach it. */
  host: string;
  /** For clients. */
  port: number;
  /** For the other servers. */
  clusterPort: number;
}

/** The common settings of a cluster's servers. */
export interface ClusterConfigurationOptions {
  /** The cluster's name; `zester` by default. */
  clusterName?: string;
  /** Each server keeps its data in a subdirectory with its name. */
  dataDirectory: string;
  /** The address to listen on; the node's `host` by default. */
  listen?: string;
  /**
   * TLS for clients. With `ca`, between the servers too, with mutual authentication: without it, any host that
   * reaches a cluster port can join the cluster.
   */
  tls?: NatsServerConfigurationOptions['tls'];
}

/**
 * Reads a node as it is given on a command line: `name=host`, `name=host:port` or `name=host:port:clusterPort`, an IPv6
 * address in brackets.
 *
 * @throws NatsServerError `ERR_NATS_SERVER_OPTIONS`
 */
export function parseClusterNode(text: string): ClusterNode {
  const match =
    /^([A-Za-z0-9][A-Za-z0-9_-]*)=(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(?::(\d+))?(?::(\d+))?$/.exec(
      text,
    );
  const [, name = '', host = '', port = String(CLIENT_PORT), clusterPort = String(CLUSTER_PORT)] =
    match ?? [];
  const ports = [port, clusterPort].map(Number);
  if (match === null || ports.some((number) => number < 1 || number > 65_535)) {
    throw new NatsServerError(
      'ERR_NATS_SERVER_OPTIONS',
      `"${text}" is not a cluster server: give name=host, or name=host:${CLIENT_PORT}:${CLUSTER_PORT}`,
    );
  }
  return { name, host: host.replace(/^\[|\]$/g, ''), port: Number(port), clusterPort: Number(clusterPort) };
}

/**
 * The configuration of each server of a cluster that trusts this domain's operator, by the server's name.
 *
 * @throws NatsServerError `ERR_NATS_SERVER_OPTIONS` when two have one name or one address, or there are fewer than three:
 *   JetStream elects its leader by majority, and two are no more than one when either is down
 */
export function clusterConfigurations(
  domain: TrustDomain,
  nodes: readonly ClusterNode[],
  options: ClusterConfigurationOptions,
): Map<string, string> {
  if (nodes.length < 3)
    throw refused(`a cluster needs at least three servers, but ${nodes.length} were given`);
  refuseTwice(
    'name',
    nodes.map(({ name }) => name),
  );
  refuseTwice(
    'address',
    nodes.flatMap(({ host, port, clusterPort }) => [address(host, port), address(host, clusterPort)]),
  );
  const { tls } = options;
  return new Map(
    nodes.map((node) => [
      node.name,
      domainServerConfiguration(domain, join(options.dataDirectory, node.name), {
        serverName: node.name,
        host: options.listen ?? node.host,
        port: node.port,
        ...(tls && { tls }),
        cluster: {
          name: options.clusterName ?? 'zester',
          host: options.listen ?? node.host,
          port: node.clusterPort,
          routes: nodes
            .filter((other) => other !== node)
            .map(({ host, clusterPort }) => `nats-route://${address(host, clusterPort)}`),
          ...(tls?.ca !== undefined && { tls: { cert: tls.cert, key: tls.key, ca: tls.ca } }),
        },
      }),
    ]),
  );
}

function address(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function refuseTwice(what: string, values: readonly string[]): void {
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined) throw refused(`two servers of the cluster have the ${what} ${twice}`);
}

function refused(why: string): NatsServerError {
  return new NatsServerError('ERR_NATS_SERVER_OPTIONS', `${why}: give name=host for each`);
}
