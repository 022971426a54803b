// Decides what a list of all connections changes while connections come and go, and when to read the next list.
import type { ConnectionPlace } from '../../system-account/connected-users.js';
import { CONNECTIONS_INTERVAL_MS, READING_FIRST_PAUSE_MS, READING_MAX_PAUSE_MS } from '../../timing.js';
import type { UserConnection } from './system-events.js';

/** Connection IDs, by server. */
class Places {
  readonly #cids = new Map<string, Set<number>>();

  add({ server, cid }: ConnectionPlace): void {
    const cids = this.#cids.get(server);
    if (cids === undefined) this.#cids.set(server, new Set([cid]));
    else cids.add(cid);
  }

  has({ server, cid }: ConnectionPlace): boolean {
    return this.#cids.get(server)?.has(cid) === true;
  }
}

/** Events received while a list is read: they take precedence over the list, which may be older. */
export class Reading {
  readonly #came = new Places();
  readonly #ended = new Places();

  connected(of: ConnectionPlace): void {
    this.#came.add(of);
  }

  disconnected(of: ConnectionPlace): void {
    this.#ended.add(of);
  }

  /** Whether a listed connection has ended since. Connection numbers are not reused. */
  hasEnded(of: ConnectionPlace): boolean {
    return this.#ended.has(of);
  }

  /**
   * The known connections that are gone: missing from a server's complete list.
   *
   * @param servers the servers that did
   */
  gone(
    { servers, connections }: { servers: ReadonlySet<string>; connections: readonly ConnectionPlace[] },
    known: Iterable<UserConnection>,
  ): UserConnection[] {
    const there = new Places();
    for (const connection of connections) there.add(connection);
    return [...known].filter((of) => servers.has(of.server) && !there.has(of) && !this.#came.has(of));
  }
}

/** Reading lists takes at most one part in this many of the time. */
const SHARE = 20;

/**
 * The pause before the next list of all connections, in milliseconds. It grows with the cost of a list, and with each
 * list that failed or was requested soon after another.
 *
 * @param last how long the last one took, in milliseconds
 * @param early how many in a row failed, or were asked for before they were due
 * @param isWanted an event may have been lost, or the last list was not whole
 * @example readingPause({ tookMs: 3_000, early: 0, isWanted: false }); // 60_000
 */
export function readingPause(last: { tookMs: number; early: number; isWanted: boolean }): number {
  const { tookMs, early, isWanted } = last;
  if (!isWanted) return Math.max(CONNECTIONS_INTERVAL_MS, SHARE * tookMs);
  // a list that is requested after a quiet time starts at once
  const pause = early === 0 ? 0 : READING_FIRST_PAUSE_MS * 2 ** (early - 1);
  return Math.max(Math.min(READING_MAX_PAUSE_MS, pause), early > 0 ? tookMs : 0);
}
