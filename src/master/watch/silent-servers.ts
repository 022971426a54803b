// Remembers the connections of servers that stopped responding, in case they were only slow.
import type { ConnectionId } from '../../system-account/kick.js';
import { SILENT_SERVER_KEPT_MS } from '../../timing.js';
import type { UserConnection } from './system-events.js';

/**
 * The connections of servers that count as gone and may return. A connection keeps its number, so one that is listed again
 * need not be requested in full at once: for a server that is already overloaded, JWTs are the most expensive part.
 */
export class SilentServers {
  readonly #servers = new Map<string, { connections: Map<number, UserConnection>; since: number }>();

  /** @param now milliseconds of a clock that never goes back */
  keep(server: string, connections: readonly UserConnection[], now: number): void {
    this.#servers.set(server, { connections: new Map(connections.map((one) => [one.cid, one])), since: now });
  }

  get({ server, cid }: ConnectionId): UserConnection | undefined {
    return this.#servers.get(server)?.connections.get(cid);
  }

  /** Forgets servers that have been gone for long. */
  prune(now: number): void {
    for (const [server, { since }] of this.#servers) {
      if (now - since > SILENT_SERVER_KEPT_MS) this.#servers.delete(server);
    }
  }
}
