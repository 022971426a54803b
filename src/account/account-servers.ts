// The servers of an account, and how to reach them as a user of their system account.
import type { TlsOptions } from '../connection/connect-plan.js';
import { orAborted } from '../async/or-aborted.js';
import { splitServerUrls } from '../connection/server-urls.js';
import type { UserCredentials } from '../creds/credentials-option.js';
import { decodeAccountJwt, decodeOperatorJwt } from '../jwt/decode.js';
import { checkAccountIssuer } from '../jwt/chain.js';
import { anything, flag, listOf, number, text, textOr, type Entries } from '../options/check-options.js';
import { connectAsSystem, openSystemCreds } from '../system-account/system-connection.js';
import { withDirectConnections, connectedTo, type TargetAccount, type Connected } from './change-account.js';

/** The servers of an account, and how to connect to them as a user of their system account. */
export interface AccountServers {
  /**
   * The operator JWT that the servers trust. Account JWTs that none of its keys signed are not sent, and are ignored.
   */
  operatorJwt: string;
  /** One URL, or several of one cluster; a string with commas is a list. */
  servers: string | readonly string[];
  /** Credentials of a user of the system account: a `.creds` file, parsed credentials, or a provider. */
  systemCredentials: UserCredentials;
  /** For TLS, as in `connectMaster`. */
  tls?: TlsOptions | null | undefined;
  /** Refuse URLs without `tls://`, except those of this machine; false by default. */
  requireTls?: boolean | undefined;
  /** Time limit for connecting to each server, in milliseconds; 3,000 by default. */
  timeoutMs?: number | undefined;
  /** Aborts the wait, with its reason. Messages already sent to the servers may still take effect. */
  signal?: AbortSignal | undefined;
}

/** @internal */
export const ACCOUNT_SERVERS_ENTRIES = {
  operatorJwt: text,
  servers: textOr(listOf(text)),
  systemCredentials: anything,
  tls: anything,
  requireTls: flag,
  timeoutMs: number,
  signal: anything,
} satisfies Entries<AccountServers>;

/** @internal */
export const ACCOUNT_SERVERS_REQUIRED = ['operatorJwt', 'servers', 'systemCredentials'];

/**
 * Connects, runs an action, and closes the connection.
 *
 * @throws CredsError, FileError; ConnectError; NatsServerError as `connectAsSystem` and `listServers`; the signal's reason
 */
export function withAccountServers<T>(
  options: AccountServers,
  act: (connected: Connected) => Promise<T>,
): Promise<T> {
  return orAborted(connectAndAct(options, act), options.signal);
}

async function connectAndAct<T>(
  options: AccountServers,
  act: (connected: Connected) => Promise<T>,
): Promise<T> {
  const { operatorJwt, systemCredentials, tls, requireTls, timeoutMs, signal } = options;
  signal?.throwIfAborted();
  const operator = decodeOperatorJwt(operatorJwt);
  const servers = splitServerUrls(options.servers);
  const { creds, close } = await openSystemCreds(systemCredentials);
  try {
    const connection = { servers, tls, requireTls, ...(timeoutMs !== undefined && { timeoutMs }) };
    const nc = await connectAsSystem(creds, connection, operator.sub);
    // fails the work in progress, and starts nothing new
    const abort = () => void nc.close();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      signal?.throwIfAborted();
      const connectOne = (only: string) => connectAsSystem(creds, { ...connection, only }, operator.sub);
      const connected = await connectedTo(nc, servers, connectOne);
      return await withDirectConnections(connected, () => act(connected));
    } finally {
      signal?.removeEventListener('abort', abort);
      await nc.close();
    }
  } finally {
    close();
  }
}

/**
 * The account of an account JWT, after a check that the operator signed it.
 *
 * @throws JwtError; JwtChainError when no key of the operator signed it
 */
export function targetAccount(accountJwt: string, operatorJwt: string): TargetAccount {
  const accountClaims = decodeAccountJwt(accountJwt);
  checkAccountIssuer(decodeOperatorJwt(operatorJwt), accountClaims);
  const account = accountClaims.sub;
  return { operatorJwt, accountJwt, accountClaims, publicKeys: { account }, home: `the account ${account}` };
}
