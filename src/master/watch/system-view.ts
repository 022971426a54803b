// The watch's interface to the system account, and its implementation over a connection.
import type { ZesterConnection } from '../../connection/connect.js';
import { withDeadline } from '../../async/deadline.js';
import type { DirectConnections } from '../../system-account/direct-connections.js';
import { PageSizes } from '../../system-account/page-sizes.js';
import { DIRECT_OPEN_WAIT_MS, READING_MAX_YIELD_MS } from '../../timing.js';
import { kick, type ConnectionId, type KickOutcome } from '../../system-account/kick.js';
import {
  connectionsNow,
  listenToSystem,
  readConnections,
  serversNow,
  type ConnectionsNow,
  type ServersNow,
  type SystemListener,
  type UserConnection,
} from './system-events.js';

/** The system account, as far as the watch uses it, for one account. */
export interface SystemView {
  /** Follows connects and disconnects. */
  listen(listener: SystemListener): { unsubscribe(): void }[];
  /** Reads all connections. @param known looks up a known connection, which need not be sent again */
  connections(known: (of: ConnectionId) => UserConnection | undefined): Promise<ConnectionsNow>;
  /** Reads some connections in full, and omits those that have ended. undefined: a server did not answer. */
  read(connections: readonly ConnectionId[]): Promise<UserConnection[] | undefined>;
  /** The servers that respond, and their routes. */
  servers(): Promise<ServersNow>;
  /** Closes one connection on its server. */
  kick(connection: ConnectionId): Promise<KickOutcome>;
  /** The status events of the connection to the servers. Ends when it is closed. */
  status(): AsyncIterable<{ type: string }>;
}

/**
 * The view of an account (`A…`) over a connection of the system account.
 *
 * @param direct connections to read the lists over: an answer of many megabytes would delay the events behind it. Urgent
 *   requests over them go first
 */
export function systemView(nc: ZesterConnection, account: string, direct?: DirectConnections): SystemView {
  const sizes = new PageSizes();
  const over = direct && ((server: string) => direct.over(server));
  const yielding = () => ({ pause: direct?.requests.pauses(READING_MAX_YIELD_MS) });
  return {
    listen: (listener) => listenToSystem(nc, account, listener),
    connections: async (known) => {
      if (direct === undefined || over === undefined) return connectionsNow(nc, account, known);
      await withDeadline(direct.open(), Date.now() + DIRECT_OPEN_WAIT_MS);
      return connectionsNow(nc, account, known, { over, sizes, ...yielding() });
    },
    read: (connections) => readConnections(nc, account, connections, over && { over, ...yielding() }),
    servers: () => serversNow(nc),
    kick: (connection) => kick(nc, connection),
    status: () => nc.status(),
  };
}
