import type { Command } from 'commander';
import { homePath, serverUrls } from '../trust/home.js';
import type { TrustDomain } from '../trust/domain.js';
import { tlsSettings, type TlsFlags, type TlsSettings } from '../trust/tls-settings.js';
import type { CliIo } from './io.js';

/** The options of a command that works on a trust domain. */
export interface HomeOptions {
  home?: string | undefined;
}

/** The options of a command that connects. */
export interface ServersOptions extends TlsFlags {
  servers?: string[] | undefined;
}

/** Adds `--home`. */
export function withHomeOption(command: Command): Command {
  return command.option(
    '--home <dir>',
    'the trust domain (default: $ZESTER_HOME, else $XDG_DATA_HOME/zester, else ~/.local/share/zester)',
  );
}

/** Adds `--servers`, and how to connect to them with TLS. */
export function withServersOption(command: Command): Command {
  return withTlsOptions(
    command.option(
      '--servers <url...>',
      "the servers to connect to; tls:// requires TLS (default: $ZESTER_SERVERS, else the home's, else " +
        'nats://127.0.0.1:4222)',
    ),
  );
}

/** Adds `--tls-ca`, `--tls-cert`, `--tls-key` and `--require-tls`. */
export function withTlsOptions(command: Command): Command {
  return command
    .option(
      '--tls-ca <file>',
      "the authorities of the servers' certificates, PEM (default: $ZESTER_TLS_CA, else the home's, else those of Node.js)",
    )
    .option(
      '--tls-cert <file>',
      "this side's certificate, PEM, where the servers ask for one (default: $ZESTER_TLS_CERT, else the home's)",
    )
    .option('--tls-key <file>', "its key, PEM (default: $ZESTER_TLS_KEY, else the home's)")
    .option(
      '--require-tls',
      "refuse URLs without tls://, but for this machine's (default: $ZESTER_REQUIRE_TLS, else as the home says)",
    );
}

/** The home that a command is for. */
export function homeOf(options: HomeOptions, io: CliIo): string {
  return homePath(options.home, io.env);
}

/** What a command connects to, and how. */
export interface ConnectionOf extends TlsSettings {
  servers: string[];
}

/**
 * The servers that a command is for, and how to connect to them.
 *
 * @param domain the home, which says what neither the command line nor the environment does
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
