// Connects to the state of a fleet with its master's credentials, without running a master.
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connectMaster, type ZesterConnection } from '../connection/connect.js';
import { loadCredsFile } from '../creds/parse.js';
import { storeFailureOf } from '../master/store/store-failure.js';
import { loadKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { tlsOf, type SystemConnectionOptions } from '../system-account/system-connection.js';
import { ADMIN_CONNECT_TIMEOUT_MS, JETSTREAM_TIMEOUT_MS } from '../timing.js';
import type { TrustDomain } from '../trust/domain.js';
import type { StateReader } from './fleet-state.js';

/** The connection options. */
export type StateConnection = Pick<SystemConnectionOptions, 'servers' | 'tls' | 'requireTls'>;

/**
 * Runs `act` with a connection of the home's master, and closes it.
 *
 * @throws ConnectError, CredsError, FileError; FleetError `ERR_FLEET_STORE` when JetStream fails; errors of `act`
 */
export async function withState<T>(
  domain: TrustDomain,
  { servers, tls, requireTls }: StateConnection,
  act: (nc: ZesterConnection, store: StateReader) => Promise<T>,
): Promise<T> {
  const nc = await connectMaster({
    ...tlsOf(domain, { tls, requireTls }),
    servers: [...servers],
    credsPath: domain.paths.masterCreds,
    name: 'zester-backup',
    timeout: ADMIN_CONNECT_TIMEOUT_MS,
  });
  try {
    const jsm = await jetstreamManager(nc, { timeout: JETSTREAM_TIMEOUT_MS, checkAPI: false });
    return await act(nc, { js: jetstream(nc, { timeout: JETSTREAM_TIMEOUT_MS }), jsm });
  } catch (error) {
    throw storeFailureOf(error) ?? error;
  } finally {
    await nc.close();
  }
}

/** The key of the home's master, and its JWT. The caller wipes the key. @throws CredsError, FileError */
export async function masterSigner({ paths }: TrustDomain): Promise<{ key: KeyBundle; jwt: string }> {
  const creds = await loadCredsFile(paths.masterCreds);
  const seed = creds.seed;
  try {
    return { key: loadKeyBundle('user', seed), jwt: creds.jwt };
  } finally {
    seed.fill(0);
    creds.wipe();
  }
}
