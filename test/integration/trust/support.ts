import { connect, type NatsConnection } from '@nats-io/transport-node';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectPeel, type ZesterConnection } from '../../../src/connection/connect.js';
import { natsOptionsForPeel } from '../../../src/connection/options.js';
import {
  natsServerConfiguration,
  type NatsServerConfigurationOptions,
} from '../../../src/nats-server/configuration.js';
import { createTrustDomain, type CreateTrustDomainOptions } from '../../../src/trust/create/create.js';
import type { TrustDomain } from '../../../src/trust/domain.js';
import type { TlsFiles } from '../../../src/trust/tls-settings.js';
import { openTrustDomain } from '../../../src/trust/open.js';
import { atEnd } from '../../support/cleanup.js';
import { watchCuts } from '../../support/cuts.js';
import { freePorts } from '../../support/free-port.js';
import { isPortTaken, ManagedServer, startManaged } from '../../support/managed-server.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { listServers, outsideJetStream } from '../../../src/system-account/servers.js';
import { connectSystem } from '../../../src/system-account/system-connection.js';

/** A home with a trust domain, and the real servers that trust it. */
export class HomeWithServers {
  readonly home: string;
  readonly dir: string;
  readonly nodes: readonly ManagedServer[];
  /** To be spread into the options of what connects. */
  readonly tls: { tls?: TlsFiles };
  #peels = 0;

  constructor(home: string, dir: string, nodes: readonly ManagedServer[], tls?: TlsFiles) {
    this.home = home;
    this.dir = dir;
    this.nodes = nodes;
    this.tls = { ...(tls && { tls }) };
  }

  get servers(): string[] {
    return this.nodes.map((node) => node.url);
  }

  /** To be spread into the options of what changes the account. */
  get options(): { servers: string[] } {
    return { servers: this.servers };
  }

  node(index: number): ManagedServer {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`no node ${index}`);
    return node;
  }

  domain(): Promise<TrustDomain> {
    return openTrustDomain(this.home);
  }

  /** Issues credentials. @returns the `.creds` file and the public key */
  async issue(peelId: string, expiry?: number): Promise<{ path: string; publicKey: string }> {
    const path = join(this.dir, `${peelId}-${(this.#peels += 1)}.creds`);
    const domain = await this.domain();
    const { user } = await domain.issuePeel(peelId, path, expiry === undefined ? {} : { expiry });
    user.wipe();
    return { path, publicKey: user.publicKey };
  }

  /** Connects a peel as a peel of the fleet connects; `cut` resolves when it is first disconnected. */
  async peel(
    peelId: string,
    credsPath: string,
    servers = this.servers,
  ): Promise<{ nc: ZesterConnection; cut: Promise<void>; cuts: () => number }> {
    const nc = await connectPeel({ servers, credsPath, peelId, reconnectTimeWait: 50, reconnectJitter: 0 });
    atEnd(() => nc.close());
    return { nc, ...watchCuts(nc) };
  }

  /** Whether a server lets these credentials in. */
  async letsIn(credsPath: string, peelId: string, url: string): Promise<boolean> {
    try {
      const nc = await connect({
        ...natsOptionsForPeel(credsPath, peelId),
        servers: url,
        reconnect: false,
        ignoreAuthErrorAbort: false,
      });
      await nc.close();
      return true;
    } catch (error) {
      if (/authorization|revoked/i.test(String(error))) return false;
      throw error;
    }
  }

  /**
   * Restarts what JetStream lacks: of servers of 2.10 that start together, one may stay outside its meta group until it is
   * restarted (`outsideMetaGroup`).
   */
  async joinJetStream(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const nc = await connectSystem(await this.domain(), { servers: this.servers });
      const outside = await outsideJetStream(nc, undefined, { patienceMs: 10_000 }).finally(() => nc.close());
      if (outside?.length === 0) return;
      if (attempt === 4)
        throw new Error(`${outside?.join() ?? 'unknown servers'} stay outside JetStream's meta group`);
      for (const name of outside ?? []) await this.node(Number(name.slice(1)) - 1).restart();
      await this.whole();
    }
  }

  /** Resolves when the nodes that run see each other and have a JetStream leader. */
  async whole(): Promise<void> {
    const up = this.nodes.filter((node) => node.isRunning);
    const domain = await this.domain();
    await waitFor(
      `a cluster of ${up.length}`,
      async () => {
        for (const { url } of up) {
          const nc = await connectSystem(domain, { servers: [url] });
          try {
            if ((await listServers(nc)).length !== up.length || !(await hasLeader(nc))) return false;
          } finally {
            await nc.close();
          }
        }
        return true;
      },
      30_000,
    );
  }
}

async function hasLeader(nc: NatsConnection): Promise<boolean> {
  const answer = await nc.request('$SYS.REQ.SERVER.PING.JSZ', '', { timeout: 2_000 });
  const leader = answer.json<{ data?: { meta_cluster?: { leader?: string } } }>().data?.meta_cluster?.leader;
  return leader !== undefined && leader !== '';
}

/** The trust domain of a test: signed a while ago, so that what the test signs is newer. */
async function newHome(dir: string, options: CreateTrustDomainOptions): Promise<TrustDomain> {
  return createTrustDomain(join(dir, 'home'), { now: () => Date.now() - 60_000, ...options });
}

/** A home, and one server on its configuration. */
export async function startHome(
  options: CreateTrustDomainOptions & {
    resolver?: 'memory';
    /** TLS of the server; `tls` is how to connect to it, and the home says nothing of either. */
    serverTls?: NatsServerConfigurationOptions['tls'];
    /** Changes the home before the server is started. */
    prepare?: (home: string) => Promise<void>;
  } = {},
): Promise<HomeWithServers> {
  const dir = await tempDir();
  const { resolver, prepare, serverTls, tls, ...rest } = options;
  const { home } = await newHome(dir, rest);
  await prepare?.(home);
  const domain = await openTrustDomain(home);
  const serverDir = join(dir, 'server');
  await mkdir(join(serverDir, 'jwt'), { recursive: true, mode: 0o700 });
  const server = await startManaged(serverDir, (port) =>
    configuration(domain, serverDir, port, 'n1', resolver, undefined, serverTls),
  );
  return new HomeWithServers(domain.home, dir, [server], tls);
}

/**
 * A home, and three servers that form a cluster.
 *
 * @param options.program the nats-server of each node, until the node is given another
 */
export async function startHomeCluster(
  options: CreateTrustDomainOptions & { program?: string } = {},
): Promise<HomeWithServers> {
  const dir = await tempDir();
  const { program, ...rest } = options;
  const domain = await newHome(dir, rest);
  for (let attempt = 1; ; attempt++) {
    const ports = await freePorts(6);
    const nodes = await Promise.all(
      [0, 1, 2].map(async (i) => {
        const nodeDir = join(dir, `attempt-${attempt}`, `n${i + 1}`);
        await mkdir(join(nodeDir, 'jwt'), { recursive: true, mode: 0o700 });
        const port = ports[i] ?? 0;
        const routes = [3, 4, 5].filter((j) => j !== i + 3).map((j) => `nats-route://127.0.0.1:${ports[j]}`);
        const path = join(nodeDir, 'nats-server.conf');
        const cluster = { name: 'test', host: '127.0.0.1', port: ports[i + 3] ?? 0, routes };
        await writeFile(path, configuration(domain, nodeDir, port, `n${i + 1}`, undefined, cluster), {
          mode: 0o600,
        });
        return new ManagedServer(path, port, program);
      }),
    );
    try {
      atEnd(() => Promise.all(nodes.map((node) => node.stop())));
      await Promise.all(nodes.map((node) => node.start()));
      const cluster = new HomeWithServers(domain.home, dir, nodes);
      await cluster.whole();
      await cluster.joinJetStream();
      return cluster;
    } catch (error) {
      await Promise.all(nodes.map((node) => node.stop()));
      if (attempt === 5 || !isPortTaken(error)) throw error;
    }
  }
}

function configuration(
  domain: TrustDomain,
  dir: string,
  port: number,
  serverName: string,
  resolver: 'memory' | undefined,
  cluster?: { name: string; host: string; port: number; routes: string[] },
  tls?: NatsServerConfigurationOptions['tls'],
): string {
  const { publicKeys } = domain;
  return natsServerConfiguration({
    serverName,
    port,
    operatorJwt: domain.operatorJwt,
    systemAccount: publicKeys.systemAccount,
    accounts: {
      [publicKeys.systemAccount]: domain.systemAccountJwt,
      [publicKeys.account]: domain.accountJwt,
    },
    resolver: resolver === 'memory' ? { type: 'memory' } : { type: 'full', dir: join(dir, 'jwt') },
    jetStream: { storeDir: join(dir, 'jetstream') },
    ...(cluster && { cluster }),
    ...(tls && { tls }),
  });
}

/** Every file of a home and its content, but for the lock: to see that nothing changed. */
export async function snapshot(home: string): Promise<Record<string, string>> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(join(home, 'lock')));
  return Object.fromEntries(
    await Promise.all(files.sort().map(async (path) => [path, await readFile(path, 'latin1')])),
  );
}
