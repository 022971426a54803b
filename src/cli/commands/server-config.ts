import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import type { NatsServerConfigurationOptions } from '../../nats-server/configuration.js';
import type { TrustDomain } from '../../trust/domain.js';
import { homeOf } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output } from '../output.js';
import { portOf, tlsOf, type ServerOptions } from './server.js';

interface Options extends ServerOptions {
  name?: string;
  dataDir: string;
  cluster?: string[];
  clusterName?: string;
  node?: string;
  out?: string;
}

/** `zester server config`: the configuration for people who run nats-server themselves. */
export function registerServerConfig(parent: Command, io: CliIo): void {
  parent
    .command('config')
    .description('print the configuration of a nats-server that trusts this home, or those of a cluster')
    .option('--name <name>', "the server's name")
    .option('--data-dir <dir>', 'where the server keeps account JWTs and JetStream', '/var/lib/nats')
    .option('--cluster <node...>', 'the servers of a cluster, at least three: name=host[:port[:clusterPort]]')
    .option('--cluster-name <name>', 'the name of the cluster', 'zester')
    .option('--node <name>', 'print the configuration of this server of the cluster')
    .option('-o, --out <dir>', 'write <name>.conf for each server of the cluster into this directory')
    .addHelpText(
      'after',
      `
With --host, --port, --http-port and the TLS options of "zester server". In a cluster each server listens on the host
given for it, or on --host, and keeps its data in a directory of its name below --data-dir. With --tls-ca the servers show
each other their certificates, which must then be good for both ends; without it, let only the servers reach the cluster
ports: who reaches one is a server of the cluster. The configuration holds no secret.

Examples:
  $ zester server config --host 0.0.0.0 --tls-cert /etc/nats/tls.crt --tls-key /etc/nats/tls.key > nats-server.conf
  $ zester server config --cluster n1=10.0.0.1 n2=10.0.0.2 n3=10.0.0.3 --out conf \\
      --tls-cert /etc/nats/tls.crt --tls-key /etc/nats/tls.key --tls-ca /etc/nats/ca.crt`,
    )
    .action(async (_options, command: Command) => {
      await config(command.optsWithGlobals<Options>(), io);
    });
}

async function config(options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const tls = tlsOf(options);
  const dataDirectory = resolve(options.dataDir);
  const { openTrustDomain } = await import('../../trust/open.js');
  const domain = await openTrustDomain(homeOf(options, io));
  if (options.cluster !== undefined) {
    await cluster(domain, { ...options, cluster: options.cluster }, dataDirectory, tls, output);
    return;
  }
  if (options.node !== undefined || options.out !== undefined) {
    throw new UsageError('--node and --out are for a cluster: give --cluster name=host for each server');
  }
  const { domainServerConfiguration } = await import('../../nats-server/write-configuration.js');
  const { CLIENT_PORT } = await import('../../connection/server-urls.js');
  const httpPort = portOf('--http-port', options.httpPort);
  const { plainServerProblem } = await import('../../nats-server/plain-server.js');
  const problem = tls === undefined ? plainServerProblem(domain) : undefined;
  if (problem !== undefined) output.warn(`${problem}: give --tls-cert and --tls-key`);
  const text = domainServerConfiguration(domain, dataDirectory, {
    ...(options.name !== undefined && { serverName: options.name }),
    host: options.host ?? '127.0.0.1',
    port: portOf('--port', options.port) ?? CLIENT_PORT,
    ...(httpPort !== undefined && { httpPort }),
    ...(tls && { tls }),
  });
  output.text(text, { configuration: text, dataDirectory });
}

async function cluster(
  domain: TrustDomain,
  options: Options & { cluster: string[] },
  dataDirectory: string,
  tls: NatsServerConfigurationOptions['tls'],
  output: Output,
): Promise<void> {
  for (const name of ['port', 'name'] as const) {
    if (options[name] !== undefined)
      throw new UsageError(`--${name} stands with each server: name=host:port`);
  }
  if ((options.node === undefined) === (options.out === undefined)) {
    throw new UsageError(
      'say what becomes of the configurations: --out DIR writes all, --node NAME prints one',
    );
  }
  const { clusterConfigurations, parseClusterNode } =
    await import('../../nats-server/cluster-configuration.js');
  const nodes = options.cluster.flatMap((text) => text.split(',')).map(parseClusterNode);
  const configurations = clusterConfigurations(domain, nodes, {
    dataDirectory,
    ...(options.clusterName !== undefined && { clusterName: options.clusterName }),
    ...(options.host !== undefined && { listen: options.host }),
    ...(tls && { tls }),
  });
  if (tls?.ca === undefined) {
    output.warn(
      'without --tls-ca, whoever reaches a cluster port is a server of the cluster: let only the servers reach it',
    );
  }
  if (options.node !== undefined) {
    const text = configurations.get(options.node);
    if (text === undefined) {
      throw new UsageError(
        `no server "${options.node}" in the cluster: ${[...configurations.keys()].join(', ')}`,
      );
    }
    output.text(text, { node: options.node, configuration: text, dataDirectory });
    return;
  }
  const { mkdir } = await import('node:fs/promises');
  const { writeSecretFile } = await import('../../files/write-secret-file.js');
  const directory = resolve(options.out ?? '.');
  await mkdir(directory, { recursive: true });
  const files: Record<string, string> = {};
  for (const [name, text] of configurations) {
    files[name] = join(directory, `${name}.conf`);
    await writeSecretFile(files[name], Buffer.from(text));
  }
  output.result(
    Object.entries(files).map(([name, path]) => `${name}: nats-server -c ${path}`),
    { files, dataDirectory },
  );
}
