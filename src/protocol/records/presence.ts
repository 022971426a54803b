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
  /** The address of the peel. */
  host?: string | undefined;
  /** ISO 8601. */
  since: string;
}

/** The connections of a peel, from the servers' own events, not from the peel. */
export interface Presence {
  /** The newest connections, if there are more than a few. */
  connections: PeelConnection[];
  /** The number of all connections, if `connections` does not list all. */
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
 * The value stored under a peel's ID in the bucket `zester-presence`. Separate from the record, which contains
 * decisions: the restart of a server changes thousands of presences, but no record.
 */
export const presenceSchema = v.object({
  connections: v.array(peelConnectionSchema),
  count: v.optional(v.number()),
  lastSeen: v.string(),
});
