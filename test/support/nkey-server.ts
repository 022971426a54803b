import { configurationText } from '../../src/nats-server/configuration-text.js';
import { startManaged, type ManagedServer } from './managed-server.js';
import { tempDir } from './temp-dir.js';

/** Starts a server without JWTs that admits users with these public keys (`U…`), for seed-only authentication. */
export async function startNkeyServer(publicKeys: readonly string[]): Promise<ManagedServer> {
  return startManaged(await tempDir(), (port) =>
    configurationText({
      host: '127.0.0.1',
      port,
      authorization: { users: publicKeys.map((nkey) => ({ nkey })) },
    }),
  );
}
