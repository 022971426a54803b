// The servers of a storm: one, or a cluster of three, with the configuration that Zester writes.
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startNatsServer, type RunningNatsServer } from '../../src/nats-server/run.js';
import { domainServerConfiguration } from '../../src/nats-server/write-configuration.js';
import { listServers, outsideJetStream } from '../../src/system-account/servers.js';
import { connectSystem } from '../../src/system-account/system-connection.js';
import type { TrustDomain } from '../../src/trust/domain.js';
import { cpuSeconds, memoryOf } from '../fleet.js';

const WHOLE_TIMEOUT_MS = 60_000;

interface Node {
  configPath: string;
  port: number;
  server: RunningNatsServer;
  /** Processor time of the processes that it was before, in seconds. */
  spent: number;
}

/** Servers on loopback; each can be killed and restarted at its port. */
export class StormServers {
  readonly #domain: TrustDomain;
  readonly #nodes: Node[];
  readonly #crashing = new Set<Promise<void>>();

  private constructor(domain: TrustDomain, nodes: Node[]) {
    this.#domain = domain;
    this.#nodes = nodes;
  }

  static async start(domain: TrustDomain, dir: string, count: number): Promise<StormServers> {
    const ports = await freePorts(2 * count);
    const routes = ports.slice(count).map((port) => `nats-route://127.0.0.1:${port}`);
    const nodes: Node[] = [];
    try {
      await Promise.all(
        ports.slice(0, count).map(async (port, i) => {
          const data = join(dir, `n${i + 1}`);
          await mkdir(join(data, 'jwt'), { recursive: true, mode: 0o700 });
          const configPath = join(data, 'nats-server.conf');
          const routePort = ports[count + i] ?? 0;
          const cluster = {
            ...{ name: 'storm', host: '127.0.0.1', port: routePort },
            routes: routes.filter((_, j) => j !== i),
          };
          const options = { serverName: `n${i + 1}`, port, ...(count > 1 && { cluster }) };
          await writeFile(configPath, domainServerConfiguration(domain, data, options), { mode: 0o600 });
          nodes[i] = { configPath, port, server: await startNatsServer({ configPath }), spent: 0 };
        }),
      );
      const servers = new StormServers(domain, nodes);
      await servers.whole();
      return servers;
    } catch (error) {
      await Promise.all(nodes.map(({ server }) => server.stop()));
      throw error;
    }
  }

  get urls(): string[] {
    return this.#nodes.map(({ port }) => `nats://127.0.0.1:${port}`);
  }

  get endpoints(): { host: string; port: number }[] {
    return this.#nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** Kills a server with SIGKILL, and starts it again at once. Resolves when it accepts connections. */
  async crash(index: number): Promise<void> {
    const crashing = this.#crash(index);
    this.#crashing.add(crashing);
    await crashing.finally(() => this.#crashing.delete(crashing));
  }

  async #crash(index: number): Promise<void> {
    const node = this.#nodes[index];
    if (node === undefined) throw new Error(`there is no server ${index}`);
    node.spent += cpuSeconds(node.server.pid);
    node.server.kill('SIGKILL');
    await node.server.exited;
    node.server = await startNatsServer({ configPath: node.configPath });
  }

  /** Seconds of processor time, of all. */
  cpu(): number {
    return this.#nodes.reduce((sum, { server, spent }) => sum + spent + cpuSeconds(server.pid), 0);
  }

  /** Kilobytes, of all. */
  async memory(): Promise<number> {
    const all = await Promise.all(this.#nodes.map(({ server }) => memoryOf(server.pid)));
    return all.reduce((sum, one) => sum + one, 0);
  }

  /** Resolves when the servers see each other, and JetStream has a leader and every server in it. */
  async whole(): Promise<void> {
    const deadline = Date.now() + WHOLE_TIMEOUT_MS;
    for (;;) {
      const nc = await connectSystem(this.#domain, { servers: this.urls });
      try {
        const seen = (await listServers(nc)).length;
        const outside = await outsideJetStream(nc, undefined, { graceMs: 5_000 });
        if (seen === this.size && outside?.length === 0) return;
        for (const name of outside ?? []) await this.crash(Number(name.slice(1)) - 1);
      } finally {
        await nc.close();
      }
      if (Date.now() > deadline) throw new Error('the servers do not become one cluster');
      await delay(500);
    }
  }

  async stop(): Promise<void> {
    // one that is about to start again would outlive this
    await Promise.allSettled(this.#crashing);
    await Promise.all(this.#nodes.map(({ server }) => server.stop()));
  }
}

/** Below the range of ephemeral ports: a storm uses many of them. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
