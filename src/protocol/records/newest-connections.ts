// Limits a presence to the newest connections, and counts the others.
import type { Presence } from './presence.js';

/** The number of connections of a peel that are listed; the others are only counted. */
export const NAMED_CONNECTIONS = 8;

/** A presence that lists the newest connections and counts all: it stays small however many a peel opens. */
export function withNewestConnections(presence: Presence): Presence {
  const { connections } = presence;
  if (connections.length <= NAMED_CONNECTIONS) return presence;
  const newest = [...connections].sort((a, b) => Date.parse(a.since) - Date.parse(b.since));
  return {
    ...presence,
    connections: newest.slice(-NAMED_CONNECTIONS),
    count: presence.count ?? connections.length,
  };
}
