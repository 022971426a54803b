// Decides what a list of all connections changes while connections come and go, and when to read the next list.
import type { ConnectionId } from '../../system-account/kick.js';
import { CONNECTIONS_INTERVAL_MS, READING_FIRST_PAUSE_MS, READING_MAX_PAUSE_MS } from '../../timing.js';
import type { UserConnection } from './system-events.js';

/** A set of connections, by server. */
class ConnectionIds {
  readonly #cids = new Map<string, Set<number>>();

  add({ server, cid }: ConnectionId): void {
    const cids = this.#cids.get(server);
    if (cids === undefined) this.#cids.set(server, new Set([cid]));
    else cids.add(cid);
  }

  has({ server, cid }: ConnectionId): boolean {
    return this.#cids.get(server)?.has(cid) === true;
  }
}

/** Events received while a list is read: they take precedence over the list, which may be older. */
export class Reading {
  readonly #came = new ConnectionIds();
  readonly #ended = new ConnectionIds();

  connected(of: ConnectionId): void {
    this.#came.add(of);
  }

  disconnected(of: ConnectionId): void {
    this.#ended.add(of);
  }

  /** Whether a listed connection has ended since, or got another user. Connection numbers are not reused. */
  hasChanged(of: ConnectionId): boolean {
    return this.#ended.has(of) || this.#came.has(of);
  }

  /**
   * The known connections that are gone: missing from a server's complete list.
   *
   * @param servers the servers whose lists are complete
   */
  gone(
    { servers, connections }: { servers: ReadonlySet<string>; connections: readonly ConnectionId[] },
    known: Iterable<UserConnection>,
  ): UserConnection[] {
    const there = new ConnectionIds();
    for (const connection of connections) there.add(connection);
    return [...known].filter((of) => servers.has(of.server) && !there.has(of) && !this.#came.has(of));
  }
}

/** Reading lists takes at most one twentieth of the time. */
const SHARE = 20;

/**
 * The pause before the next list of all connections, in milliseconds. It grows with the cost of a list, and with each
 * list that failed or was requested soon after another.
 *
 * @param last.tookMs the duration of the last list, in milliseconds
 * @param last.early the number of consecutive lists that failed or were requested early
 * @param last.isWanted whether the next list is requested early: an event may have been lost, or the last list was incomplete
 * @example readingPause({ tookMs: 3_000, early: 0, isWanted: false }); // 60_000
 */
export function readingPause(last: { tookMs: number; early: number; isWanted: boolean }): number {
  const { tookMs, early, isWanted } = last;
  if (!isWanted) return Math.max(CONNECTIONS_INTERVAL_MS, SHARE * tookMs);
  // a list that is requested after a quiet time starts at once
  const pause = early === 0 ? 0 : READING_FIRST_PAUSE_MS * 2 ** (early - 1);
  return Math.max(Math.min(READING_MAX_PAUSE_MS, pause), early > 0 ? tookMs : 0);
}
