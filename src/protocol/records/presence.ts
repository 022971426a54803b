// The record of a peel's connections.
import * as v from 'valibot';

/** A connection of a peel, as its server tells of it. */
export const peelConnectionSchema = v.object({
  /** The server's id, and the connection's on it. */
  server: v.string(),
  cid: v.number(),
  serverName: v.optional(v.string()),
  publicKey: v.string(),
  /** The address that it comes from. */
  host: v.optional(v.string()),
  /** ISO 8601. */
  since: v.string(),
});

export type PeelConnection = v.InferOutput<typeof peelConnectionSchema>;

/**
 * Who is connected, from the servers' own events and not from a peel's word: the value of the peel's id in the bucket
 * `zester-presence`. Kept apart from the record, which holds decisions: a server that restarts changes thousands of these
 * and none of those.
 */
export const presenceSchema = v.object({
  /** The newest, where there are more than a few. */
  connections: v.array(peelConnectionSchema),
  /** How many there are, where `connections` has not all of them. */
  count: v.optional(v.number()),
  /** ISO 8601: the last time that it connected or disconnected. */
  lastSeen: v.string(),
});

export type Presence = v.InferOutput<typeof presenceSchema>;
