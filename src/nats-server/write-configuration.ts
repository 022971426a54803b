// Writes the server configuration of a home.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSecretFile } from '../files/write-secret-file.js';
import { ensurePrivateDirectory, pathExists } from '../trust/private-files.js';
import type { TrustDomain } from '../trust/domain.js';
import { connectionLimit, openFilesIn } from './connection-limit.js';
import { storageLimitOf } from './storage-limit.js';
import { natsServerConfiguration, type NatsServerConfigurationOptions } from './configuration.js';
import { CLIENT_PORT, isLoopback, parseServerUrl, type Endpoint } from '../connection/server-urls.js';

/** The options of a trust domain's server. */
export type ServerConfigurationOptions = Pick<
  NatsServerConfigurationOptions,
  'serverName' | 'host' | 'port' | 'cluster' | 'tls' | 'httpPort' | 'maxConnections'
> &
  Partial<Pick<NatsServerConfigurationOptions, 'resolver'>> & {
    /** JetStream's storage limit in bytes; the server's default if absent. */
    maxFileStore?: number;
  };

/**
 * The text of the configuration of a nats-server that trusts this domain's operator: accounts in the `full` resolver, so
 * that revocations can be pushed, and JetStream.
 *
 * @param dataDirectory where the server keeps the account JWTs (`jwt/`) and JetStream (`jetstream/`)
 */
export function domainServerConfiguration(
  domain: TrustDomain,
  dataDirectory: string,
  options: ServerConfigurationOptions,
): string {
  const { publicKeys } = domain;
  const { maxFileStore, ...rest } = options;
  return natsServerConfiguration({
    ...rest,
    operatorJwt: domain.operatorJwt,
    systemAccount: publicKeys.systemAccount,
    accounts: {
      [publicKeys.systemAccount]: domain.systemAccountJwt,
      [publicKeys.account]: domain.accountJwt,
    },
    resolver: options.resolver ?? { type: 'full', dir: join(dataDirectory, 'jwt') },
    jetStream: {
      storeDir: join(dataDirectory, 'jetstream'),
      ...(maxFileStore !== undefined && { maxFile: maxFileStore }),
    },
  });
}

/**
 * Writes the configuration of the nats-server that Zester runs for this domain, all of it below the home.
 *
 * @returns the path of the configuration
 * @throws FileError, TrustError `ERR_TRUST_HOME_EXPOSED`
 */
export async function writeServerConfiguration(
  domain: TrustDomain,
  options: ServerConfigurationOptions,
): Promise<string> {
  const { paths } = domain;
  for (const directory of [paths.serverDirectory, paths.serverJwtDirectory, paths.serverJetStreamDirectory]) {
    await ensurePrivateDirectory(directory);
  }
  // it runs on this machine
  const maxConnections = connectionLimit(openFilesIn(await limitsOfThisProcess()));
  const maxFileStore = await storageLimitOf(paths.serverJetStreamDirectory);
  const text = domainServerConfiguration(domain, paths.serverDirectory, {
    maxConnections,
    ...(maxFileStore !== undefined && { maxFileStore }),
    ...options,
  });
  await writeSecretFile(paths.serverConfiguration, Buffer.from(text));
  return paths.serverConfiguration;
}

/** Undefined if the system does not report it. */
async function limitsOfThisProcess(): Promise<string | undefined> {
  try {
    return await readFile('/proc/self/limits', 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Writes the configuration if there is none, for a home whose server is on this machine.
 *
 * @returns its path and whether it was created now; undefined: the fleet has its own servers
 * @throws FileError, TrustError `ERR_TRUST_HOME_EXPOSED`
 */
export async function ensureServerConfiguration(
  domain: TrustDomain,
): Promise<{ path: string; made: boolean } | undefined> {
  const listen = localEndpoint(domain);
  if (listen === undefined) return undefined;
  const path = domain.paths.serverConfiguration;
  if (pathExists(path)) return { path, made: false };
  return { path: await writeServerConfiguration(domain, listen), made: true };
}

/**
 * The address of this machine where a home's server listens: the first of the home's servers that is on loopback.
 *
 * @returns undefined when the home's servers are all elsewhere
 */
export function localEndpoint(domain: TrustDomain): Endpoint | undefined {
  if (domain.servers.length === 0) return { host: '127.0.0.1', port: CLIENT_PORT };
  const local = domain.servers.map(parseServerUrl).find(({ host }) => isLoopback(host));
  return local && { ...local, host: local.host === 'localhost' ? '127.0.0.1' : local.host };
}
