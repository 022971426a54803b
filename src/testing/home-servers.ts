// A home with a trust domain, and the servers that trust it.
import type { NatsConnection } from '@nats-io/nats-core';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectMaster } from '../connection/connect.js';
import type { NatsServerConfigurationOptions } from '../nats-server/configuration.js';
import { domainServerConfiguration } from '../nats-server/write-configuration.js';
import { listServers, outsideJetStream } from '../system-account/servers.js';
import { connectSystem } from '../system-account/system-connection.js';
import { JETSTREAM_STATE_TIMEOUT_MS, TEST_CLUSTER_TIMEOUT_MS, TEST_JETSTREAM_GRACE_MS } from '../timing.js';
import { createTrustDomain, type CreateTrustDomainOptions } from '../trust/create/create.js';
import type { TrustDomain } from '../trust/domain.js';
import { openTrustDomain } from '../trust/open.js';
import type { Cleanup } from './cleanup.js';
import { temporaryDirectory } from './directory.js';
import { EphemeralServer, retryPorts, startEphemeralServer } from './ephemeral-server.js';
import { freePorts } from './free-ports.js';
import { loadAccount } from './load-account.js';
import { waitFor } from './wait-for.js';

/** The options of a home with servers. */
export interface HomeServersOptions {
  /** The trust domain. */
  trust?: CreateTrustDomainOptions;
  /** How many servers; 1 by default; 3 or more form a cluster. */
  servers?: number;
  /** The nats-server program of each. */
  program?: string | undefined;
  /** Of a single server. */
  resolver?: 'memory' | undefined;
  /** TLS for a single server; the home does not mention it. */
  tls?: NatsServerConfigurationOptions['tls'];
  /** Changes the home before the servers start. */
  prepare?: ((home: string) => Promise<void>) | undefined;
}

/** A home with a trust domain, and the real servers that trust it. */
export interface HomeServers {
  home: string;
  /** A temporary directory, which contains the home. */
  dir: string;
  nodes: readonly EphemeralServer[];
}

/** Creates a home in a temporary directory, and starts servers with its configuration. */
export async function startHomeServers(options: HomeServersOptions, cleanup: Cleanup): Promise<HomeServers> {
  const dir = await temporaryDirectory(cleanup);
  // signed a while ago, so that what the test signs is newer
  const now = () => Date.now() - 60_000;
  const { home } = await createTrustDomain(join(dir, 'home'), { now, ...options.trust });
  await options.prepare?.(home);
  const domain = await openTrustDomain(home);
  const { servers: count = 1 } = options;
  const nodes =
    count === 1
      ? [await startOne(domain, dir, options, cleanup)]
      : await startMany(count, domain, dir, options.program, cleanup);
  return { home, dir, nodes };
}

async function startOne(
  domain: TrustDomain,
  dir: string,
  { resolver, tls, program }: HomeServersOptions,
  cleanup: Cleanup,
): Promise<EphemeralServer> {
  const serverDir = join(dir, 'server');
  await mkdir(join(serverDir, 'jwt'), { recursive: true, mode: 0o700 });
  const configuration = (port: number) =>
    configurationOf(domain, serverDir, { serverName: 'n1', port, ...(tls && { tls }) }, resolver);
  const server = await startEphemeralServer(serverDir, configuration, program);
  cleanup.add(() => server.stop());
  return server;
}

async function startMany(
  count: number,
  domain: TrustDomain,
  dir: string,
  program: string | undefined,
  cleanup: Cleanup,
): Promise<EphemeralServer[]> {
  return retryPorts(async (attempt) => {
    const nodes = await writeNodes(count, domain, join(dir, `attempt-${attempt}`), program);
    const stop = cleanup.add(() => Promise.all(nodes.map((node) => node.stop())));
    try {
      await Promise.all(nodes.map((node) => node.start()));
      await joinJetStream(domain, nodes);
      await wholeCluster(domain, nodes);
      const { masterCreds } = domain.paths;
      await loadAccount(
        nodes.map(({ url }) => url),
        (url) => connectMaster({ servers: [url], credentials: masterCreds }),
      );
      return nodes;
    } catch (error) {
      await stop();
      throw error;
    }
  });
}

async function writeNodes(
  count: number,
  domain: TrustDomain,
  dir: string,
  program: string | undefined,
): Promise<EphemeralServer[]> {
  const ports = await freePorts(2 * count);
  const clusterPorts = ports.slice(count);
  return Promise.all(
    ports.slice(0, count).map(async (port, i) => {
      const serverName = `n${i + 1}`;
      const nodeDir = join(dir, serverName);
      await mkdir(join(nodeDir, 'jwt'), { recursive: true, mode: 0o700 });
      const routes = clusterPorts.filter((_, j) => j !== i).map((other) => `nats-route://127.0.0.1:${other}`);
      // a unique name: nodes of another test's cluster may still dial one of these ports, and must not join
      const cluster = {
        name: `test-${clusterPorts[0]}`,
        host: '127.0.0.1',
        port: clusterPorts[i] ?? 0,
        routes,
      };
      const path = join(nodeDir, 'nats-server.conf');
      await writeFile(path, configurationOf(domain, nodeDir, { serverName, port, cluster }), { mode: 0o600 });
      return new EphemeralServer(path, port, program);
    }),
  );
}

/** Resolves when the running nodes see each other, have a JetStream leader, and hold what their streams hold. */
export async function wholeCluster(domain: TrustDomain, nodes: readonly EphemeralServer[]): Promise<void> {
  await clusterWhere(domain, nodes, async (nc) => (await hasLeader(nc)) && (await isHealthy(nc)));
}

/** Resolves when a condition holds on a connection to each of the running nodes, which see each other. */
async function clusterWhere(
  domain: TrustDomain,
  nodes: readonly EphemeralServer[],
  holds: (nc: NatsConnection) => Promise<boolean>,
): Promise<void> {
  const up = nodes.filter((node) => node.isRunning);
  await waitFor(
    `a cluster of ${up.length}`,
    async () => {
      for (const { url } of up) {
        const nc = await connectSystem(domain, { servers: [url] });
        try {
          if ((await listServers(nc)).length !== up.length || !(await holds(nc))) return false;
        } finally {
          await nc.close();
        }
      }
      return true;
    },
    TEST_CLUSTER_TIMEOUT_MS,
  );
}

/** Maximum restarts of a server that stays outside JetStream. */
const MAX_JOIN_ATTEMPTS = 4;

/**
 * Restarts servers that are outside JetStream: when 2.10 servers start together, one may stay outside the meta group
 * until it is restarted (`outsideMetaGroup`).
 */
async function joinJetStream(domain: TrustDomain, nodes: readonly EphemeralServer[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    // not wholeCluster: a server outside may never report itself healthy
    await clusterWhere(domain, nodes, hasLeader);
    const nc = await connectSystem(domain, { servers: nodes.map(({ url }) => url) });
    let outside: readonly string[] | undefined;
    try {
      outside = await outsideJetStream(nc, undefined, { graceMs: TEST_JETSTREAM_GRACE_MS });
    } finally {
      await nc.close();
    }
    if (outside?.length === 0) return;
    if (attempt === MAX_JOIN_ATTEMPTS)
      throw new Error(`${outside?.join() ?? 'unknown servers'} stay outside JetStream's meta group`);
    for (const name of outside ?? []) await nodes[Number(name.slice(1)) - 1]?.restart();
  }
}

async function hasLeader(nc: NatsConnection): Promise<boolean> {
  const answer = await nc.request('$SYS.REQ.SERVER.PING.JSZ', '', { timeout: JETSTREAM_STATE_TIMEOUT_MS });
  const leader = answer.json<{ data?: { meta_cluster?: { leader?: string } } }>().data?.meta_cluster?.leader;
  return leader !== undefined && leader !== '';
}

/** Whether the server of this connection has caught up with its streams: only then another one may be stopped. */
async function isHealthy(nc: NatsConnection): Promise<boolean> {
  const subject = `$SYS.REQ.SERVER.${nc.info?.server_id ?? ''}.HEALTHZ`;
  const answer = await nc.request(subject, '', { timeout: JETSTREAM_STATE_TIMEOUT_MS });
  return answer.json<{ data?: { status?: string } }>().data?.status === 'ok';
}

function configurationOf(
  domain: TrustDomain,
  dir: string,
  options: Pick<NatsServerConfigurationOptions, 'port' | 'serverName' | 'cluster' | 'tls'>,
  resolver?: 'memory',
): string {
  return domainServerConfiguration(domain, dir, {
    ...options,
    ...(resolver === 'memory' && { resolver: { type: 'memory' } }),
  });
}
