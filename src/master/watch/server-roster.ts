// Decides which servers are gone, and whether a new one has joined.

import type { ServersNow } from './system-events.js';

/** The consecutive checks that a server must miss before its connections are dropped. */
const MAX_MISSED_CHECKS = 2;
/**
 * The same for a server that another one still has a route to: it may be busy. With 16,000 connections, a server answers
 * no ping for ten seconds while it checks them against a new account JWT (docs/nats-facts.md, 40). The route to a host
 * that lost power also stays for a while.
 */
const MAX_MISSED_CHECKS_ROUTED = 20;

/** A server that is gone, with its connections. */
export interface GoneServer {
  id: string;
  /** Whether it may respond again: it was not restarted, only silent. */
  mayReturn: boolean;
}

/** The result of checking the servers. */
export interface RosterChange {
  /** A server has joined: it does not report users who connected before it was part of the cluster. */
  hasJoined: boolean;
  gone: GoneServer[];
}

/** The servers of the cluster, as of the last check. */
export class ServerRoster {
  /** Names by ID, including servers that missed a check and are not gone yet. */
  #servers: ReadonlyMap<string, string> | undefined;
  readonly #missed = new Map<string, number>();

  /**
   * Compares the servers that respond now with those of the last check. A server is gone if it misses two checks in a
   * row, or many if it has a route, or at once if another server responds under its name: a restarted server has the same
   * name and a new ID. An overloaded server that misses a check has neither gone nor joined.
   *
   * @param connected IDs of the servers that have connections
   */
  check({ names: servers, routed }: ServersNow, connected: Iterable<string>): RosterChange {
    const before = this.#servers;
    const hasJoined = before !== undefined && [...servers.keys()].some((id) => !before.has(id));
    const names = new Set(servers.values());
    const withConnections = new Set(connected);
    const known = new Map(servers);
    const gone: GoneServer[] = [];
    for (const id of servers.keys()) this.#missed.delete(id);
    for (const id of new Set([...(before?.keys() ?? []), ...withConnections])) {
      if (servers.has(id)) continue;
      const name = before?.get(id);
      const missed = (this.#missed.get(id) ?? 0) + 1;
      const isRestarted = name !== undefined && names.has(name);
      const allowed = name !== undefined && routed.has(name) ? MAX_MISSED_CHECKS_ROUTED : MAX_MISSED_CHECKS;
      if (missed < allowed && !isRestarted) {
        this.#missed.set(id, missed);
        if (name !== undefined) known.set(id, name);
        continue;
      }
      this.#missed.delete(id);
      if (withConnections.has(id)) gone.push({ id, mayReturn: !isRestarted });
    }
    this.#servers = known;
    return { hasJoined, gone };
  }
}
