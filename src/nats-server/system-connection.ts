import { connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { loadCredsFile } from '../creds/parse.js';
import type { CredsFile } from '../creds/creds-file.js';
import type { NatsOptions } from '../creds/nats-options.js';
import { FileError, NatsServerError } from '../errors.js';
import { accountOf } from '../jwt/account-of.js';
import type { TrustDomain } from '../trust/domain.js';

/** How {@link connectSystem} connects. */
export interface SystemConnectionOptions {
  /** One URL or several; the first that answers is taken. */
  servers: readonly string[];
  /** Instead of the home's `creds/system.creds`: credentials of a user of the system account. */
  systemCreds?: string;
  tls?: NatsOptions['tls'];
  /** For each server, in milliseconds; 3,000 by default. */
  timeoutMs?: number;
}

/**
 * Connects as a user of the system account: who may ask servers for their state, and push account JWTs to them. It does
 * not reconnect: it is for one command.
 *
 * @throws NatsServerError `ERR_NATS_SERVER_NO_SYSTEM_CREDS`, `ERR_NATS_SERVER_NOT_SYSTEM`, `ERR_NATS_SERVER_REFUSED`,
 *   `ERR_NATS_SERVER_UNREACHABLE`; CredsError, FileError when the credentials cannot be read
 */
export async function connectSystem(
  domain: TrustDomain,
  options: SystemConnectionOptions,
): Promise<NatsConnection> {
  const path = options.systemCreds ?? domain.paths.systemCreds;
  const creds = await loadSystemCreds(path, domain);
  try {
    return await connect({
      ...(options.tls && { tls: options.tls }),
      servers: [...options.servers],
      authenticator: (nonce?: string) => creds.authenticate(nonce),
      name: 'zester',
      reconnect: false,
      timeout: options.timeoutMs ?? 3_000,
    });
  } catch (cause) {
    throw connectError(cause, options.servers, domain, path);
  } finally {
    // it signed the server's nonce; there is no reconnect that would need it again
    creds.wipe();
  }
}

async function loadSystemCreds(path: string, domain: TrustDomain): Promise<CredsFile> {
  let creds: CredsFile;
  try {
    creds = await loadCredsFile(path);
  } catch (cause) {
    if (!(cause instanceof FileError) || cause.code !== 'ERR_FILE_NOT_FOUND') throw cause;
    throw new NatsServerError(
      'ERR_NATS_SERVER_NO_SYSTEM_CREDS',
      `there are no credentials of the system account at ${path}: only a user of it may push to the servers; put its ` +
        '.creds file there, or give --system-creds',
      { cause },
    );
  }
  const account = accountOf(creds.claims);
  if (account !== domain.publicKeys.systemAccount) {
    creds.wipe();
    throw new NatsServerError(
      'ERR_NATS_SERVER_NOT_SYSTEM',
      `${path} is of a user of the account ${account}, and one of the system account ${domain.publicKeys.systemAccount} is needed`,
    );
  }
  return creds;
}

function connectError(
  cause: unknown,
  servers: readonly string[],
  domain: TrustDomain,
  path: string,
): NatsServerError {
  const where = servers.join(', ');
  if (
    cause instanceof errors.AuthorizationError ||
    cause instanceof errors.UserAuthenticationExpiredError ||
    /authorization|authentication/i.test(String(cause))
  ) {
    return new NatsServerError(
      'ERR_NATS_SERVER_REFUSED',
      `${where} refused ${path}: the server does not trust the operator "${domain.names.operator}" ` +
        `(${domain.publicKeys.operator}), or those credentials are revoked or expired; give the right --servers, or run ` +
        'the server with this home\'s configuration ("zester server config")',
      { cause },
    );
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new NatsServerError(
    'ERR_NATS_SERVER_UNREACHABLE',
    `cannot reach ${where} (${reason}): start the server, or give the right --servers`,
    { cause },
  );
}
