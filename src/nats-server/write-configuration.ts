import { writeSecretFile } from '../files/write-secret-file.js';
import { ensurePrivateDirectory } from '../trust/private-files.js';
import type { TrustDomain } from '../trust/domain.js';
import { natsServerConfiguration, type NatsServerConfigurationOptions } from './configuration.js';

/** What can be chosen about the server of a trust domain. */
export type ServerConfigurationOptions = Pick<
  NatsServerConfigurationOptions,
  'serverName' | 'host' | 'port' | 'cluster' | 'tls' | 'httpPort'
>;

/**
 * Writes the configuration of the nats-server that trusts this domain's operator: accounts in the `full` resolver, so
 * that revocations can be pushed, and JetStream, both below the home.
 *
 * @returns the path of the configuration
 * @throws FileError, TrustError `ERR_TRUST_HOME_EXPOSED`
 */
export async function writeServerConfiguration(
  domain: TrustDomain,
  options: ServerConfigurationOptions,
): Promise<string> {
  const { paths, publicKeys } = domain;
  for (const directory of [paths.serverDirectory, paths.serverJwtDirectory, paths.serverJetStreamDirectory]) {
    await ensurePrivateDirectory(directory);
  }
  const text = natsServerConfiguration({
    ...options,
    operatorJwt: domain.operatorJwt,
    systemAccount: publicKeys.systemAccount,
    accounts: {
      [publicKeys.systemAccount]: domain.systemAccountJwt,
      [publicKeys.account]: domain.accountJwt,
    },
    resolver: { type: 'full', dir: paths.serverJwtDirectory },
    jetStream: { storeDir: paths.serverJetStreamDirectory },
  });
  await writeSecretFile(paths.serverConfiguration, Buffer.from(text));
  return paths.serverConfiguration;
}
