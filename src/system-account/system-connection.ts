// Connects as a user of the system account.
import type { TlsOptions } from '../connection/connect-plan.js';
import type { NatsConnection } from '@nats-io/transport-node';
import { connectError, connectFailure } from '../connection/connect-failure.js';
import { dial } from '../connection/dial.js';
import { parseServerUrls } from '../connection/server-urls.js';
import { loadGiven, nameOf } from '../connection/credentials.js';
import { givenUserCredentials, type UserCredentials } from '../creds/credentials-option.js';
import type { CredsFile } from '../creds/creds-file.js';
import { ConnectError, FileError, NatsServerError, type ZesterError } from '../errors.js';
import type { DirectConnections } from './direct-connections.js';
import { accountOf } from '../jwt/account-of.js';
import type { TrustDomain } from '../trust/domain.js';
import { CONNECT_ONCE_TIMEOUT_MS } from '../timing.js';

/** The options of {@link connectSystem}. */
export interface SystemConnectionOptions {
  /** One URL or several; the first that answers is used. */
  servers: readonly string[];
  /** Replaces the home's `creds/system.creds`: credentials of a user of the system account. */
  systemCreds?: UserCredentials | undefined;
  /** TLS options, and whether TLS is required; by default those of the home. */
  tls?: TlsOptions | null | undefined;
  requireTls?: boolean | undefined;
  /** Time limit for each server, in milliseconds; 3,000 by default. */
  timeoutMs?: number;
  /**
   * An open connection of the system account to use instead of a new one. It stays open. While thousands of clients
   * connect, a new connection would wait behind them.
   */
  existing?: () => NatsConnection | undefined;
  /**
   * Connections to each server to use instead of new ones: some for queries, others to push over, which a push blocks.
   * They stay open, too.
   */
  direct?: { querying: DirectConnections; pushing: DirectConnections } | undefined;
  /** Connects to this server only: one of `servers`, or one that their cluster announces. */
  only?: string | undefined;
}

/**
 * Connects as a user of the system account, which may query servers and push account JWTs to them. It does
 * not reconnect: it is for one command.
 *
 * @throws NatsServerError `ERR_NATS_SERVER_NO_SYSTEM_CREDS`, `ERR_NATS_SERVER_NOT_SYSTEM`, `ERR_NATS_SERVER_REFUSED`,
 *   `ERR_NATS_SERVER_UNREACHABLE`; CredsError, FileError when the credentials cannot be read
 */
export async function connectSystem(
  domain: TrustDomain,
  options: SystemConnectionOptions,
): Promise<NatsConnection> {
  const creds = await openSystemCreds(options.systemCreds ?? domain.paths.systemCreds);
  const { names, publicKeys } = domain;
  try {
    checkSystemAccount(creds.creds, domain);
    return await connectAsSystem(
      creds.creds,
      { ...options, ...tlsOf(domain, options) },
      `"${names.operator}" (${publicKeys.operator})`,
    );
  } finally {
    // it has signed the server's nonce, and there is no reconnect
    creds.close();
  }
}

/**
 * Like {@link connectSystem}, without a home.
 *
 * @param creds credentials of a user of the system account; the caller must wipe them
 * @param operator the operator that the servers should trust, for error messages
 */
export async function connectAsSystem(
  creds: CredsFile,
  options: Omit<SystemConnectionOptions, 'systemCreds'>,
  operator: string,
): Promise<NatsConnection> {
  const { tls, requireTls, only, servers } = options;
  try {
    return await dial({
      ...(tls != null && { tls }),
      ...(requireTls !== undefined && { requireTls }),
      servers: only === undefined ? [...servers] : [only],
      ...(only !== undefined && { configured: parseServerUrls(servers), ignoreClusterUpdates: true }),
      authenticator: (nonce?: string) => creds.authenticate(nonce),
      name: 'zester',
      reconnect: false,
      timeout: options.timeoutMs ?? CONNECT_ONCE_TIMEOUT_MS,
    });
  } catch (cause) {
    throw systemError(cause, options, operator, creds.path);
  }
}

/** Loads credentials of a user of the system account. `close` wipes them, unless they are the caller's own. */
export async function openSystemCreds(
  credentials: UserCredentials,
): Promise<{ creds: CredsFile; close: () => void }> {
  const given = givenUserCredentials({ credentials }, { names: ['systemCredentials', 'systemCredsPath'] });
  try {
    const creds = await loadGiven(given);
    const isOwned = given.kind === 'file' && given.loaded === undefined;
    return { creds, close: () => void (isOwned && creds.wipe()) };
  } catch (cause) {
    if (!(cause instanceof FileError) || cause.code !== 'ERR_FILE_NOT_FOUND') throw cause;
    throw new NatsServerError(
      'ERR_NATS_SERVER_NO_SYSTEM_CREDS',
      `no credentials of the system account at ${nameOf(given)}: only its users may push to the servers; put a user's ` +
        '.creds file there, or pass --system-creds',
      { cause },
    );
  }
}

function checkSystemAccount(creds: CredsFile, domain: TrustDomain): void {
  const account = accountOf(creds.claims);
  if (account === domain.publicKeys.systemAccount) return;
  throw new NatsServerError(
    'ERR_NATS_SERVER_NOT_SYSTEM',
    `${creds.path} belongs to a user of the account ${account}, but a user of the system account ${domain.publicKeys.systemAccount} is needed`,
  );
}

/** The TLS settings of a command: its options, else the home's. */
export function tlsOf(
  domain: TrustDomain,
  options: Pick<SystemConnectionOptions, 'tls' | 'requireTls'>,
): Pick<SystemConnectionOptions, 'tls' | 'requireTls'> {
  const tls = options.tls ?? domain.tls;
  return {
    ...(tls != null && { tls }),
    requireTls: options.requireTls ?? domain.requireTls,
  };
}

function systemError(
  cause: unknown,
  options: Omit<SystemConnectionOptions, 'systemCreds'>,
  operator: string,
  path: string,
): ZesterError {
  if (cause instanceof ConnectError) return cause;
  const where = options.servers.join(', ');
  const failure = connectFailure(cause, options.timeoutMs ?? CONNECT_ONCE_TIMEOUT_MS);
  if (failure.kind === 'refused') {
    return new NatsServerError(
      'ERR_NATS_SERVER_REFUSED',
      `${where} refused ${path} (${failure.reason}): the server does not trust the operator ${operator}, or those credentials are revoked or expired; give the right --servers, or run ` +
        'the server with this home\'s configuration ("zester server config")',
      { cause },
    );
  }
  if (failure.kind !== 'unreachable') return connectError(failure, where, cause);
  return new NatsServerError(
    'ERR_NATS_SERVER_UNREACHABLE',
    `cannot reach ${where} (${failure.reason}): start the server, or give the right --servers`,
    { cause },
  );
}
