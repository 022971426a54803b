// `zester server config`: print nats-server configurations that trust this home.
import { join, resolve } from 'node:path';
import { UsageError } from '../../../errors.js';
import type { NatsServerConfigurationOptions } from '../../../nats-server/configuration.js';
import type { TrustDomain } from '../../../trust/domain.js';
import { command } from '../../command/declaration.js';
import { list, text, type ValuesOf } from '../../command/option.js';
import type { Output } from '../../terminal/output.js';
import { SERVER_OPTIONS, tlsOf } from '../../options/server-options.js';

const OPTIONS = {
  ...SERVER_OPTIONS,
  name: text('--name <name>', "the server's name"),
  dataDir: text('--data-dir <dir>', 'directory for account JWTs and JetStream', '/var/lib/nats'),
  cluster: list('--cluster <node...>', 'servers of a cluster: name=host[:port[:clusterPort]]'),
  clusterName: text('--cluster-name <name>', 'name of the cluster', 'zester'),
  node: text('--node <name>', 'print the configuration of this server of the cluster'),
  out: text('-o, --out <dir>', 'write <name>.conf for each server of the cluster'),
};
type Values = ValuesOf<typeof OPTIONS>;

export default command({
  summary: 'print nats-server configurations that trust this home',
  needs: 'home',
  options: OPTIONS,
  notes: `
A cluster has at least three servers, each listening on its own host or --host. With --tls-ca they check each other's
certificates. Without it, make sure that only they can reach the cluster ports: any host that can reach them can join
the cluster. The configuration contains no secrets.`,
  examples: [
    'zester server config --host 0.0.0.0 --tls-cert /etc/nats/tls.crt --tls-key /etc/nats/tls.key > nats-server.conf',
    'zester server config --cluster n1=10.0.0.1 n2=10.0.0.2 n3=10.0.0.3 --out conf --tls-ca …',
  ],
  async run(values, { output, openHome }) {
    const { name, host, port, httpPort, node, out } = values;
    const tls = tlsOf(values);
    const dataDirectory = resolve(values.dataDir);
    const domain = await openHome();
    if (values.cluster !== undefined) {
      return cluster(domain, { ...values, cluster: values.cluster }, dataDirectory, tls, output);
    }
    if (node !== undefined || out !== undefined) {
      throw new UsageError('--node and --out need a cluster: pass --cluster name=host for each server');
    }
    const { domainServerConfiguration } = await import('../../../nats-server/write-configuration.js');
    const { CLIENT_PORT } = await import('../../../connection/server-urls.js');
    const { plainServerProblem } = await import('../../../nats-server/plain-server.js');
    const problem = tls === undefined ? plainServerProblem(domain) : undefined;
    if (problem !== undefined) output.warn(`${problem}: pass --tls-cert and --tls-key`);
    const configuration = domainServerConfiguration(domain, dataDirectory, {
      ...(name !== undefined && { serverName: name }),
      host: host ?? '127.0.0.1',
      port: port ?? CLIENT_PORT,
      ...(httpPort !== undefined && { httpPort }),
      ...(tls && { tls }),
    });
    output.text(configuration, { configuration, dataDirectory });
  },
});

async function cluster(
  domain: TrustDomain,
  options: Values & { cluster: string[] },
  dataDirectory: string,
  tls: NatsServerConfigurationOptions['tls'],
  output: Output,
): Promise<void> {
  for (const name of ['port', 'name'] as const) {
    if (options[name] !== undefined)
      throw new UsageError(`--${name} is set per server of a cluster: name=host:port`);
  }
  if ((options.node === undefined) === (options.out === undefined)) {
    throw new UsageError(
      'no destination: pass --out DIR to write all configurations, or --node NAME to print one',
    );
  }
  const { clusterConfigurations, parseClusterNode } =
    await import('../../../nats-server/cluster-configuration.js');
  const nodes = options.cluster.flatMap((text) => text.split(',')).map(parseClusterNode);
  const configurations = clusterConfigurations(domain, nodes, {
    dataDirectory,
    clusterName: options.clusterName,
    ...(options.host !== undefined && { listen: options.host }),
    ...(tls && { tls }),
  });
  if (tls?.ca === undefined) {
    output.warn(
      'without --tls-ca, any host that can reach a cluster port can join the cluster: restrict it to the servers',
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
  const { writeSecretFile } = await import('../../../files/write-secret-file.js');
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
