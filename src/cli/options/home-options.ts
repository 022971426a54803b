// Resolves the home, and how to connect to its servers.
import { homePath, serverUrls } from '../../trust/home.js';
import type { TrustDomain } from '../../trust/domain.js';
import { tlsSettings, type TlsFlags, type TlsSettings } from '../../trust/tls-settings.js';
import type { CliIo } from '../terminal/io.js';

/** The options of a command that works on a trust domain. */
export interface HomeOptions {
  home?: string | undefined;
}

/** The options of a command that connects. */
export interface ServersOptions extends TlsFlags {
  servers?: string[] | undefined;
}

/** The home of a command. */
export function homeOf(options: HomeOptions, io: CliIo): string {
  return homePath(options.home, io.env);
}

/** The servers and TLS options of a command. */
export interface ConnectionOf extends TlsSettings {
  servers: string[];
}

/**
 * The servers of a command, and how to connect to them.
 *
 * @param domain the home, for settings that neither the command line nor the environment has
 * @throws ConnectError `ERR_CONNECT_URL`
 */
export function connectionOf(
  options: ServersOptions,
  io: CliIo,
  domain?: Pick<TrustDomain, 'servers' | 'tls' | 'requireTls'>,
): ConnectionOf {
  const ofHome: TlsSettings = {
    ...(domain?.tls !== undefined && { tls: domain.tls }),
    ...(domain !== undefined && { requireTls: domain.requireTls }),
  };
  return {
    servers: serverUrls(options.servers, domain?.servers, io.env),
    ...tlsSettings(options, ofHome, io.env),
  };
}
