import { startEphemeralServer, type EphemeralServer } from '../../src/testing/ephemeral-server.js';
import { atEnd } from './cleanup.js';

export { EphemeralServer as ManagedServer } from '../../src/testing/ephemeral-server.js';

/** Starts a server on a configuration for a free port, and stops it after the last test of the file. */
export async function startManaged(
  directory: string,
  configuration: (port: number) => string,
): Promise<EphemeralServer> {
  const server = await startEphemeralServer(directory, configuration);
  atEnd(() => server.stop());
  return server;
}
