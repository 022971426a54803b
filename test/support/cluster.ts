import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { natsServerConfiguration } from '../../src/nats-server/configuration.js';
import { atEnd } from './cleanup.js';
import { freePorts } from './free-port.js';
import { retryPorts } from '../../src/testing/ephemeral-server.js';
import { loadAccount } from '../../src/testing/load-account.js';
import { ManagedServer } from './managed-server.js';
import { OperatorCredentials, trustConfiguration, type OperatorServerOptions } from './operator-server.js';
import { tempDir } from './temp-dir.js';
import { createTestTrust, type TestTrust } from './trust.js';
import { waitFor } from './wait-for.js';

/** Servers on loopback that form one cluster with one JetStream. */
export class OperatorCluster extends OperatorCredentials {
  /** Each can be stopped, killed and started separately; their names are `n1`, `n2` and so on. */
  readonly nodes: readonly ManagedServer[];

  constructor(trust: TestTrust, dir: string, nodes: readonly ManagedServer[]) {
    super(trust, dir, () => nodes.filter((node) => node.isRunning).map((node) => node.url));
    this.nodes = nodes;
  }

  get urls(): string[] {
    return this.nodes.map((node) => node.url);
  }

  node(index: number): ManagedServer {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`the cluster has ${this.nodes.length} nodes, none at ${index}`);
    return node;
  }

  /** Restarts one node after the other, like an upgrade: the cluster is complete before the next goes down. */
  async rollingRestart(): Promise<void> {
    for (const node of this.nodes) {
      await node.restart();
      await this.whole();
    }
  }

  /**
   * Resolves when all running nodes see each other, and JetStream has a leader that they agree on and that is ready to
   * serve.
   */
  async whole(): Promise<void> {
    const up = this.nodes.filter((node) => node.isRunning);
    await waitFor(
      `a cluster of ${up.length} with a JetStream leader`,
      async () => {
        const views = await Promise.all(up.map((node) => this.#viewOf(node)));
        const leaders = new Set(views.map((view) => view.leader));
        return leaders.size === 1 && !leaders.has('') && views.every(({ seen }) => seen >= up.length);
      },
      30_000,
    );
  }

  /** The view of one node: the leader of JetStream, and the number of servers that answer through it. */
  async #viewOf(node: ManagedServer): Promise<{ leader: string; seen: number }> {
    const nc = await this.systemConnection({ servers: node.url, reconnect: false });
    try {
      const answers = await nc.requestMany('$SYS.REQ.SERVER.PING.JSZ', '', {
        strategy: 'stall',
        maxWait: 2_000,
      });
      const views: { leader: string; name: string }[] = [];
      for await (const answer of answers) {
        const { data, server } = answer.json<{
          server: { name: string };
          data?: { meta_cluster?: { leader?: string } };
        }>();
        views.push({ leader: data?.meta_cluster?.leader ?? '', name: server.name });
      }
      const leaders = new Set(views.map((view) => view.leader));
      return { leader: leaders.size === 1 ? (views[0]?.leader ?? '') : '', seen: views.length };
    } finally {
      await nc.close();
    }
  }
}

/** Starts a cluster that trusts a new operator, and waits until it is complete. */
export async function startCluster(
  size = 3,
  options: Omit<OperatorServerOptions, 'resolver' | 'tls'> = {},
): Promise<OperatorCluster> {
  const dir = await tempDir();
  const trust = options.trust ?? createTestTrust(options);
  return retryPorts(async (attempt) => {
    const nodes = await writeNodes(size, join(dir, `cluster-${attempt}`), trust);
    const stop = atEnd(() => Promise.all(nodes.map((node) => node.stop())));
    try {
      await Promise.all(nodes.map((node) => node.start()));
      const cluster = new OperatorCluster(trust, dir, nodes);
      await cluster.whole();
      const user = await cluster.user('load');
      await loadAccount(cluster.urls, (url) => cluster.connect(user, { servers: url, reconnect: false }));
      return cluster;
    } catch (error) {
      await stop();
      throw error;
    }
  });
}

async function writeNodes(size: number, dir: string, trust: TestTrust): Promise<ManagedServer[]> {
  const ports = await freePorts(2 * size);
  const clientPorts = ports.slice(0, size);
  const routePorts = ports.slice(size);
  const routes = routePorts.map((port) => `nats-route://127.0.0.1:${port}`);
  return Promise.all(
    clientPorts.map(async (port, i) => {
      const nodeDir = join(dir, `n${i + 1}`);
      await mkdir(join(nodeDir, 'jwt'), { recursive: true, mode: 0o700 });
      const configPath = join(nodeDir, 'nats-server.conf');
      const text = natsServerConfiguration({
        serverName: `n${i + 1}`,
        port,
        ...trustConfiguration(trust),
        resolver: { type: 'full', dir: join(nodeDir, 'jwt') },
        jetStream: { storeDir: join(nodeDir, 'jetstream') },
        cluster: {
          name: `test-${routePorts[0]}`,
          host: '127.0.0.1',
          port: routePorts[i] ?? 0,
          routes: routes.filter((_, j) => j !== i),
        },
      });
      await writeFile(configPath, text, { mode: 0o600 });
      return new ManagedServer(configPath, port);
    }),
  );
}
