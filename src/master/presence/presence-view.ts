// A master's view of the connected peels, and of when each peel was last seen.
import { withNewestConnections } from '../../protocol/records/newest-connections.js';
import type { PeelConnection, Presence } from '../../protocol/records/presence.js';

/** The presence of one peel. `at`: when it last connected or disconnected, in milliseconds since 1970. */
export interface Seen {
  at: number;
  /** The newest connections. */
  connections: readonly PeelConnection[];
  /** The number of connections. */
  count: number;
}

const NO_CONNECTIONS: readonly PeelConnection[] = [];

/**
 * The connections of peels, in memory. The watching master fills it from the servers' events, the others from that master's
 * messages. No decision depends on it.
 */
export class PresenceView {
  readonly #seen = new Map<string, Seen>();
  readonly #listeners = new Set<(peelId: string) => void>();
  #connected = 0;

  /** undefined: the peel was never seen. */
  get(peelId: string): Presence | undefined {
    const seen = this.#seen.get(peelId);
    if (seen === undefined) return undefined;
    const { at, connections, count } = seen;
    return withNewestConnections({
      lastSeen: new Date(at).toISOString(),
      connections: [...connections],
      ...(count > connections.length && { count }),
    });
  }

  /** As {@link PresenceView.get}, in its internal form. */
  seen(peelId: string): Seen | undefined {
    return this.#seen.get(peelId);
  }

  isConnected(peelId: string): boolean {
    return (this.#seen.get(peelId)?.count ?? 0) > 0;
  }

  /** The number of peels that were ever seen. */
  get size(): number {
    return this.#seen.size;
  }

  /** The number of connected peels. */
  get connected(): number {
    return this.#connected;
  }

  /** Every peel that was ever seen. */
  peelIds(): IterableIterator<string> {
    return this.#seen.keys();
  }

  *entries(): IterableIterator<[string, Presence]> {
    for (const peelId of this.#seen.keys()) {
      const presence = this.get(peelId);
      if (presence !== undefined) yield [peelId, presence];
    }
  }

  /** @param at milliseconds since 1970 */
  set(peelId: string, connections: readonly PeelConnection[], count: number, at: number): void {
    const was = this.isConnected(peelId);
    this.#seen.set(peelId, { at, count, connections: count === 0 ? NO_CONNECTIONS : connections });
    if (was !== count > 0) this.#connected += was ? -1 : 1;
    for (const listener of this.#listeners) listener(peelId);
  }

  /** Sets the last-seen time of a peel unless a newer one is known. Does not notify subscribers. */
  recall(peelId: string, at: number): void {
    const known = this.#seen.get(peelId);
    if (known === undefined) this.#seen.set(peelId, { at, connections: NO_CONNECTIONS, count: 0 });
    else if (known.at < at && known.count === 0) known.at = at;
  }

  /** Subscribes to changes by {@link PresenceView.set}. Returns the function that unsubscribes. */
  onChange(listener: (peelId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
