// Asks a fleet how many of the storm's peels it knows to be connected.
import type { AdminClient } from '../../src/protocol/admin-client.js';

const PATTERN = 'storm-*';

/** How many connected peels the fleet counts: cheap, asked often. */
export async function countKnown(admin: AdminClient): Promise<number> {
  return (await admin.ask('status', {}, { timeoutMs: 5_000 })).connected;
}

/**
 * How many of the storm's peels are listed as connected, and how many of them with a connection that is not older than
 * `since` (milliseconds since 1970): what a count alone does not show is whether it is of connections that are long gone.
 * Costs a list of all peels.
 */
export async function listKnown(
  admin: AdminClient,
  since: number,
): Promise<{ listed: number; fresh: number }> {
  let listed = 0;
  let fresh = 0;
  for await (const { peels } of admin.stream('peel.list', { pattern: PATTERN, connected: true })) {
    listed += peels.length;
    for (const { presence } of peels) {
      if (presence?.connections.some((connection) => Date.parse(connection.since) >= since) === true)
        fresh += 1;
    }
  }
  return { listed, fresh };
}
