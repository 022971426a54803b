// The nats-server configuration for a trust domain.
import { NatsServerError } from '../errors.js';
import { configurationText, type ConfigurationMap } from './configuration-text.js';
import { MAX_CONNECTIONS } from './connection-limit.js';
import {
  RESOLVER_INTERVAL_SECONDS,
  SERVER_AUTHORIZATION_TIMEOUT_SECONDS,
  SERVER_PING_INTERVAL_SECONDS,
  SERVER_TLS_TIMEOUT_SECONDS,
} from '../timing.js';

/** The settings of a nats-server that Zester configures. */
export interface NatsServerConfigurationOptions {
  /** The server's name; unique in a cluster. */
  serverName?: string;
  /** The address to listen on; `127.0.0.1` by default. */
  host?: string;
  /** The port for clients; -1: any free port. */
  port: number;
  /** The operator that the server trusts. */
  operatorJwt: string;
  /** The system account's public key (`A…`). */
  systemAccount: string;
  /** Account JWTs by public key (`A…`) that the server knows from the start; the system account's is required. */
  accounts: Readonly<Record<string, string>>;
  /**
   * Where account JWTs live. `memory`: only those of `accounts`, permanently. `full`: in a directory, and new ones can be
   * pushed to the running server (revocations, changed permissions).
   */
  resolver: { type: 'memory' } | { type: 'full'; dir: string };
  /** Absent: no JetStream. */
  jetStream?: {
    storeDir: string;
    /** Bytes; the server's own choice by default. */
    maxMemory?: number;
    /** Bytes; the server's own choice by default. */
    maxFile?: number;
  };
  cluster?: {
    name: string;
    /** The address for the other servers. */
    host: string;
    /** The port for the other servers; -1: any free port. */
    port: number;
    /** The other servers: `nats-route://host:port`. */
    routes: readonly string[];
    /** TLS between the servers, with mutual authentication: paths of PEM files. */
    tls?: { cert: string; key: string; ca: string };
  };
  /** TLS for clients: paths of PEM files. */
  tls?: {
    cert: string;
    key: string;
    /** The certificate authorities for client certificates. */
    ca?: string;
    /** Require client certificates; false by default. */
    verify?: boolean;
  };
  /** A port for monitoring. Always on loopback, since it has no authentication. */
  httpPort?: number;
  /** The most connected clients; 65,536 by default. More than the server's open file limit is pointless. */
  maxConnections?: number;
}

/** Pings that a client may leave unanswered. */
const PING_MAX = 2;

/**
 * Checks the name of a server.
 *
 * Source: github.com/nats-io/nats-server, server/opts.go: since 2.11, a name with a space is refused at the start.
 *
 * @throws NatsServerError `ERR_NATS_SERVER_OPTIONS`
 */
export function validateServerName(name: string): string {
  if (/^[^\s\p{C}]+$/u.test(name)) return name;
  throw new NatsServerError(
    'ERR_NATS_SERVER_OPTIONS',
    `"${name}" is not a server name: it has at least one character, and no spaces or control characters`,
  );
}

/**
 * The text of a `nats-server.conf`: operator mode, accounts by JWT. `max_control_line` stays at the server's default,
 * which fits Zester's JWTs.
 */
export function natsServerConfiguration(options: NatsServerConfigurationOptions): string {
  const { resolver, jetStream, cluster, tls } = options;
  const map: ConfigurationMap = {
    server_name: options.serverName === undefined ? undefined : validateServerName(options.serverName),
    host: options.host ?? '127.0.0.1',
    port: options.port,
    http: options.httpPort === undefined ? undefined : `127.0.0.1:${options.httpPort}`,
    max_connections: options.maxConnections ?? MAX_CONNECTIONS,
    authorization: { timeout: SERVER_AUTHORIZATION_TIMEOUT_SECONDS },
    ping_interval: `${SERVER_PING_INTERVAL_SECONDS}s`,
    ping_max: PING_MAX,
    tls: tls && {
      cert_file: tls.cert,
      key_file: tls.key,
      ca_file: tls.ca,
      verify: tls.verify,
      timeout: SERVER_TLS_TIMEOUT_SECONDS,
    },
    jetstream: jetStream && {
      store_dir: jetStream.storeDir,
      max_memory_store: jetStream.maxMemory,
      max_file_store: jetStream.maxFile,
    },
    cluster: cluster && {
      name: cluster.name,
      host: cluster.host,
      port: cluster.port,
      routes: cluster.routes,
      tls: cluster.tls && {
        cert_file: cluster.tls.cert,
        key_file: cluster.tls.key,
        ca_file: cluster.tls.ca,
        verify: true,
      },
    },
    operator: options.operatorJwt,
    system_account: options.systemAccount,
    // deleting accounts over the network is not needed, so it is disabled; and a server that was down must not accept
    // newly revoked users for the minute after which servers compare their JWTs by default
    resolver:
      resolver.type === 'memory'
        ? 'MEMORY'
        : {
            type: 'full',
            dir: resolver.dir,
            allow_delete: false,
            interval: `${RESOLVER_INTERVAL_SECONDS}s`,
          },
    resolver_preload: options.accounts,
  };
  return `# Made by zester. Operator mode: JWTs signed under this operator decide who may connect.\n${configurationText(map)}`;
}
