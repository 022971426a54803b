// Opens the admin client of a command, and waits for a master if requested.
import { setTimeout as delay } from 'node:timers/promises';
import type { ZesterConnection } from '../../connection/connect.js';
import { ZesterError } from '../../errors.js';
import type { Fleet } from '../../fleet-client/fleet.js';
import type { AdminClient } from '../../protocol/admin-client.js';
import {
  connectionOf,
  homeOf,
  type ConnectionOf,
  type HomeOptions,
  type ServersOptions,
} from '../options/home-options.js';
import type { CliIo } from '../terminal/io.js';
import { keepRenewed, renewUsed } from './renew-used.js';
import { ADMIN_CONNECT_TIMEOUT_MS, MASTER_PROBE_TIMEOUT_MS, STARTING_RETRY_MS } from '../../timing.js';

/** The options of a command that calls masters. */
export interface AdminOptions extends HomeOptions, ServersOptions {
  creds?: string | undefined;
}

/** The admin client of a command, and its connection. */
export interface Admin {
  fleet: Fleet;
  nc: ZesterConnection;
  client: AdminClient;
  connection: ConnectionOf;
  /** The fleet's account (`A…`). */
  account: string;
  /** The admin's own key (`U…`). */
  publicKey: string;
  /** The file of its credentials. */
  credsPath: string;
}

/**
 * Connects as an admin while `act` runs.
 *
 * @param waitMs how long to wait for a starting home, servers and master; 0: do not wait
 * @throws errors of `act`; TrustError, CredsError, FileError, ConnectError; with a wait, FleetError
 *   `ERR_FLEET_NO_MASTER`
 */
export async function asAdmin<T>(
  options: AdminOptions,
  io: CliIo,
  act: (admin: Admin) => Promise<T>,
  waitMs = 0,
): Promise<T> {
  const { admin, close } = await openAdmin(options, io, waitMs);
  try {
    return await act(admin);
  } finally {
    await close();
  }
}

/**
 * Connects as an admin, until `close`.
 *
 * @param waitMs how long to wait for a starting home, servers and master; 0: do not wait
 * @throws as {@link asAdmin}
 */
export async function openAdmin(
  options: AdminOptions,
  io: CliIo,
  waitMs = 0,
): Promise<{ admin: Admin; close: () => Promise<void> }> {
  const deadline = io.now() + waitMs;
  const opened = await retryUntil(() => open(options, io), deadline, io);
  if (waitMs === 0) return opened;
  try {
    await retryUntil(
      () => opened.admin.client.ask('status', {}, { timeoutMs: MASTER_PROBE_TIMEOUT_MS }),
      deadline,
      io,
    );
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Errors that may occur during startup. */
const STARTUP_ERRORS: ReadonlySet<string> = new Set([
  'ERR_TRUST_NOT_FOUND',
  'ERR_TRUST_INCOMPLETE',
  'ERR_FILE_NOT_FOUND',
  'ERR_CONNECT_UNREACHABLE',
  'ERR_FLEET_NO_MASTER',
  'ERR_FLEET_TIMEOUT',
]);

/** Retries after {@link STARTUP_ERRORS} until the deadline. @param deadline milliseconds since 1970 */
export async function retryUntil<T>(act: () => Promise<T>, deadline: number, io: CliIo): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const isRetryable = error instanceof ZesterError && STARTUP_ERRORS.has(error.code);
      if (!isRetryable || io.now() >= deadline) throw error;
      await delay(STARTING_RETRY_MS);
    }
  }
}

async function open(options: AdminOptions, io: CliIo): Promise<{ admin: Admin; close: () => Promise<void> }> {
  const { ZESTER_CREDS } = io.env;
  const given = options.creds ?? (ZESTER_CREDS === '' ? undefined : ZESTER_CREDS);
  const { openTrustDomain } = await import('../../trust/open.js');
  const domain = await openTrustDomain(homeOf(options, io)).catch((error: unknown) => {
    // with explicit credentials, an admin needs no home
    if (given !== undefined && error instanceof ZesterError && error.code === 'ERR_TRUST_NOT_FOUND') {
      return undefined;
    }
    throw error;
  });
  const credsPath = given ?? domain?.paths.adminCreds ?? '';
  const renewed =
    domain?.settings.renewal !== undefined && credsPath === domain.paths.adminCreds ? domain.home : undefined;
  if (renewed !== undefined) await renewUsed(renewed, ['admin'], io);
  const connection = connectionOf(options, io, domain);
  const [{ connectFleet }, { loadCredsFile }] = await Promise.all([
    import('../../fleet-client/connect-fleet.js'),
    import('../../creds/parse.js'),
  ]);
  const creds = await loadCredsFile(credsPath);
  creds.wipe();
  const { publicKey } = creds;
  const fleet = await connectFleet({
    ...connection,
    credentials: credsPath,
    timeout: ADMIN_CONNECT_TIMEOUT_MS,
  });
  const { connection: nc, client, account } = fleet;
  const stop = renewed === undefined ? () => undefined : keepRenewed(renewed, ['admin'], io);
  return {
    admin: { fleet, nc, client, connection, account, publicKey, credsPath },
    close: async () => {
      stop();
      await fleet.close();
    },
  };
}
