// Tracks every connection that the servers report, on the master that holds the lease.
import type { ConnectionId } from '../../system-account/kick.js';
import { NAMED_CONNECTIONS } from '../../protocol/records/newest-connections.js';
import type { PeelConnection } from '../../protocol/records/presence.js';
import { adminOfUserName } from '../../permissions/admin-names.js';
import { isPeelId } from '../../permissions/peel-id.js';
import type { PresenceView } from '../presence/presence-view.js';
import type { UserConnection } from './system-events.js';

/** All connections, in memory, on the lease holder only. Updates the presence view of peels. */
export class PresenceKeeper {
  readonly #view: PresenceView;
  readonly #now: () => number;
  readonly #byServer = new Map<string, Map<number, UserConnection>>();
  readonly #byName = new Map<string, UserConnection[]>();
  #size = 0;

  /** @param now milliseconds since 1970 */
  constructor(view: PresenceView, now: () => number = Date.now) {
    this.#view = view;
    this.#now = now;
  }

  get size(): number {
    return this.#size;
  }

  get({ server, cid }: ConnectionId): UserConnection | undefined {
    return this.#byServer.get(server)?.get(cid);
  }

  *all(): IterableIterator<UserConnection> {
    for (const connections of this.#byServer.values()) yield* connections.values();
  }

  /** IDs of the servers that have connections. */
  servers(): string[] {
    return [...this.#byServer.keys()];
  }

  ofServer(server: string): UserConnection[] {
    return [...(this.#byServer.get(server)?.values() ?? [])];
  }

  /** The connections of the peel or the added admin with this name. */
  of(name: string): readonly UserConnection[] {
    return this.#byName.get(name) ?? [];
  }

  /** Number of connections of the peel or the added admin with this name. */
  countOf(name: string): number {
    return this.#byName.get(name)?.length ?? 0;
  }

  add(connection: UserConnection): void {
    this.#drop(connection);
    const { server, cid, name } = connection;
    const connections = this.#byServer.get(server) ?? new Map<number, UserConnection>();
    this.#byServer.set(server, connections.set(cid, connection));
    this.#size += 1;
    if (!isCounted(name)) return;
    const same = this.#byName.get(name);
    if (same === undefined) this.#byName.set(name, [connection]);
    else same.push(connection);
    if (isPeelId(name)) this.#publish(name);
  }

  remove(of: ConnectionId): UserConnection | undefined {
    const connection = this.#drop(of);
    if (connection !== undefined && isPeelId(connection.name)) this.#publish(connection.name);
    return connection;
  }

  /** After a takeover: marks peels that left meanwhile as disconnected. */
  correct(): void {
    for (const peelId of this.#view.peelIds())
      if (this.#view.isConnected(peelId) && !this.#byName.has(peelId)) this.#publish(peelId);
  }

  #drop(of: ConnectionId): UserConnection | undefined {
    const connections = this.#byServer.get(of.server);
    const connection = connections?.get(of.cid);
    if (connections === undefined || connection === undefined) return undefined;
    connections.delete(of.cid);
    if (connections.size === 0) this.#byServer.delete(of.server);
    this.#size -= 1;
    const same = this.#byName.get(connection.name);
    if (same === undefined) return connection;
    const at = same.indexOf(connection);
    if (at >= 0) same.splice(at, 1);
    if (same.length === 0) this.#byName.delete(connection.name);
    return connection;
  }

  #publish(name: string): void {
    const all = this.of(name);
    // only the newest ones: the cost stays the same, however many a peel opens
    const newest = all.length > NAMED_CONNECTIONS ? all.slice(-NAMED_CONNECTIONS) : all;
    this.#view.set(name, newest.map(peelConnection), all.length, this.#now());
  }
}

/** Whether the connections with this name are counted: those of peels and added admins are limited. */
function isCounted(name: string): boolean {
  return isPeelId(name) || adminOfUserName(name) !== undefined;
}

function peelConnection({ server, cid, serverName, publicKey, host, since }: UserConnection): PeelConnection {
  return {
    server,
    cid,
    publicKey,
    since,
    ...(serverName !== undefined && { serverName }),
    ...(host !== undefined && { host }),
  };
}
