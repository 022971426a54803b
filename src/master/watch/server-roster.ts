// Decides which servers are gone, and whether a new one has joined.

/** Consecutive looks that a server must miss before its connections are dropped. */
const MISSED_LOOKS = 2;

/** The result of checking the servers. */
export interface RosterChange {
  /** A server has joined: it does not report users who connected before it was part of the cluster. */
  hasJoined: boolean;
  /** IDs of servers that are gone, with their connections. */
  gone: string[];
}

/** The servers of the cluster, as of the last check. */
export class ServerRoster {
  #servers: ReadonlyMap<string, string> | undefined;
  readonly #missed = new Map<string, number>();

  /**
   * Compares the servers that respond now with those of the last check. A server is gone if it misses two checks in a
   * row, or at once if another server responds under its name: a restarted server has the same name and a new ID.
   *
   * @param servers names of the servers that respond, by ID
   * @param connected IDs of the servers that have connections
   */
  look(servers: ReadonlyMap<string, string>, connected: Iterable<string>): RosterChange {
    const before = this.#servers;
    this.#servers = servers;
    const hasJoined = before !== undefined && [...servers.keys()].some((id) => !before.has(id));
    const names = new Set(servers.values());
    const gone = [];
    for (const server of connected) {
      const missed = servers.has(server) ? 0 : (this.#missed.get(server) ?? 0) + 1;
      this.#missed.set(server, missed);
      const name = before?.get(server);
      const isRestarted = missed > 0 && name !== undefined && names.has(name);
      if (missed < MISSED_LOOKS && !isRestarted) continue;
      this.#missed.delete(server);
      gone.push(server);
    }
    return { hasJoined, gone };
  }
}
