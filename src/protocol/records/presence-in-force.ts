// Leaves out of a peel's presence the connections that its record rules out.
import type { PeelConnection, Presence } from './presence.js';
import { keyOf, type PeelRecord } from './record.js';

/** Whether a key may have a connection: not once every server has confirmed that it is revoked. */
function mayConnect(record: PeelRecord, { publicKey }: PeelConnection): boolean {
  return keyOf(record, publicKey)?.state !== 'revoked';
}

/**
 * The presence of a peel as its record allows it to be: a key that every server has confirmed to be revoked has no
 * connection, whatever is still known of one. A key whose revocation is not confirmed may have one, and it is named.
 */
export function presenceInForce(record: PeelRecord, presence: Presence | undefined): Presence | undefined {
  if (presence === undefined) return undefined;
  const connections = presence.connections.filter((connection) => mayConnect(record, connection));
  if (connections.length === presence.connections.length) return presence;
  const { lastSeen, count } = presence;
  // those that are only counted have the keys of those that are named, as far as is known
  return { lastSeen, connections, ...(connections.length > 0 && count !== undefined && { count }) };
}

/** Whether a peel is connected, as far as its record allows. */
export function isConnectedInForce(
  record: PeelRecord,
  presence: { connections: readonly PeelConnection[] } | undefined,
): boolean {
  return presence?.connections.some((connection) => mayConnect(record, connection)) === true;
}
