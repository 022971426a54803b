// The record of a peel's connections.
import * as v from 'valibot';

/** A connection of a peel, as its server reports it. */
export interface PeelConnection {
  /** The ID of the server. */
  server: string;
  /** The ID of the connection on that server. */
  cid: number;
  serverName?: string | undefined;
  /** The public key (`U…`) that it connected with. */
  publicKey: string;
  /** The address that it comes from. */
  host?: string | undefined;
  /** ISO 8601. */
  since: string;
}

/** Where a peel is connected, from the servers' own events and not from the peel's word. */
export interface Presence {
  /** The newest connections, if there are more than a few. */
  connections: PeelConnection[];
  /** How many there are, if `connections` does not have all of them. */
  count?: number | undefined;
  /** ISO 8601: the last time that the peel connected or disconnected. */
  lastSeen: string;
}

export const peelConnectionSchema = v.object({
  server: v.string(),
  cid: v.number(),
  serverName: v.optional(v.string()),
  publicKey: v.string(),
  host: v.optional(v.string()),
  since: v.string(),
});

/**
 * The value of a peel's ID in the bucket `zester-presence`. Kept apart from the record, which holds decisions: a server that
 * restarts changes thousands of these and none of those.
 */
export const presenceSchema = v.object({
  connections: v.array(peelConnectionSchema),
  count: v.optional(v.number()),
  lastSeen: v.string(),
});
