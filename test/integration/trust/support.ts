import { connect, type NatsConnection } from '@nats-io/transport-node';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectPeel, type ZesterConnection } from '../../../src/connection/connect.js';
import { natsOptionsForPeel } from '../../../src/connection/options.js';
import type { NatsServerConfigurationOptions } from '../../../src/nats-server/configuration.js';
import { connectSystem } from '../../../src/system-account/system-connection.js';
import { startHomeServers, wholeCluster } from '../../../src/testing/home-servers.js';
import type { CreateTrustDomainOptions } from '../../../src/trust/create/create.js';
import type { TrustDomain } from '../../../src/trust/domain.js';
import type { TlsFiles } from '../../../src/trust/tls-settings.js';
import { openTrustDomain } from '../../../src/trust/open.js';
import { atEnd, cleanup } from '../../support/cleanup.js';
import { watchCuts } from '../../support/cuts.js';
import type { ManagedServer } from '../../support/managed-server.js';

/** A home with a trust domain, and the real servers that trust it. */
export class HomeWithServers {
  readonly home: string;
  readonly dir: string;
  readonly nodes: readonly ManagedServer[];
  /** Connection options, to be spread. */
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

  /** Options for changing the account, to be spread. */
  get options(): { servers: string[] } {
    return { servers: this.servers };
  }

  node(index: number): ManagedServer {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`no node ${index}`);
    return node;
  }

  /** A connection of the system account; closed after the last test at the latest. */
  async system(): Promise<NatsConnection> {
    const nc = await connectSystem(await this.domain(), { servers: this.servers });
    atEnd(() => nc.close());
    return nc;
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

  /** Connects a peel like one of the fleet; `cut` resolves at its first disconnect. */
  async peel(
    peelId: string,
    credsPath: string,
    servers = this.servers,
  ): Promise<{ nc: ZesterConnection; cut: Promise<void>; cuts: () => number }> {
    const nc = await connectPeel({ servers, credsPath, peelId, reconnectTimeWait: 50, reconnectJitter: 0 });
    atEnd(() => nc.close());
    return { nc, ...watchCuts(nc) };
  }

  /** Whether a server admits these credentials. */
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

  /** Resolves when the nodes that run see each other and have a JetStream leader. */
  async whole(): Promise<void> {
    await wholeCluster(await this.domain(), this.nodes);
  }
}

/** A home, and one server on its configuration. */
export async function startHome(
  options: CreateTrustDomainOptions & {
    resolver?: 'memory';
    /** TLS of the server; `tls` has the connection options. The home has neither. */
    serverTls?: NatsServerConfigurationOptions['tls'];
    /** Changes the home before the server is started. */
    prepare?: (home: string) => Promise<void>;
  } = {},
): Promise<HomeWithServers> {
  const { resolver, prepare, serverTls, tls, ...trust } = options;
  const { home, dir, nodes } = await startHomeServers(
    { trust, resolver, prepare, ...(serverTls && { tls: serverTls }) },
    cleanup,
  );
  return new HomeWithServers(home, dir, nodes, tls);
}

/**
 * A home, and three servers that form a cluster.
 *
 * @param options.program the nats-server of each node, until the node is given another
 */
export async function startHomeCluster(
  options: CreateTrustDomainOptions & { program?: string } = {},
): Promise<HomeWithServers> {
  const { program, ...trust } = options;
  const { home, dir, nodes } = await startHomeServers({ servers: 3, trust, program }, cleanup);
  return new HomeWithServers(home, dir, nodes);
}

/** Every file of a home with its content, except the lock, to check that nothing changed. */
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
