// Removes connections of revoked keys from a peel's presence.
import type { PeelConnection, Presence } from './presence.js';
import { keyOf, type PeelRecord } from './record.js';

/** A key may have a connection until every server has confirmed its revocation. */
function mayConnect(record: PeelRecord, { publicKey }: PeelConnection): boolean {
  return keyOf(record, publicKey)?.state !== 'revoked';
}

/**
 * The presence of a peel without connections of revoked keys. Once every server has confirmed a key's revocation, it
 * has no connection; one that is still listed is stale. Until then, its connections are listed.
 */
export function effectivePresence(record: PeelRecord, presence: Presence | undefined): Presence | undefined {
  if (presence === undefined) return undefined;
  const connections = presence.connections.filter((connection) => mayConnect(record, connection));
  if (connections.length === presence.connections.length) return presence;
  const { lastSeen, count } = presence;
  // assume that connections that are only counted use the keys of the listed ones
  return { lastSeen, connections, ...(connections.length > 0 && count !== undefined && { count }) };
}

/** Whether a peel has a connection whose key is not revoked. */
export function isPeelConnected(
  record: PeelRecord,
  presence: { connections: readonly PeelConnection[] } | undefined,
): boolean {
  return presence?.connections.some((connection) => mayConnect(record, connection)) === true;
}
