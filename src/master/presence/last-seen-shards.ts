// The stored form of last-seen times: many peels per value.
import * as v from 'valibot';
import { recordOf } from '../../options/record-of.js';
import { presenceSchema } from '../../protocol/records/presence.js';

/** Peels per value, as the upper limit of the average: some ten kilobytes. */
const PEELS_PER_SHARD = 1_000;
const MAX_SHARDS = 4_096;

/**
 * The number of values for a fleet of this size. It only grows, by doubling, so that peels seldom move to another
 * value.
 */
export function shardsFor(peels: number): number {
  let shards = 1;
  while (shards < MAX_SHARDS && peels > shards * PEELS_PER_SHARD) shards *= 2;
  return shards;
}

/** Prefix of the values' keys. A peel ID does not begin with `_`. */
export const SHARD_PREFIX = '_seen.';
/** The key that stores how far the values of earlier versions, one per peel, have been read. */
export const FOLDED_KEY = `${SHARD_PREFIX}folded`;

/** A time in seconds since 1970, by peel ID. */
const timesSchema = recordOf(v.number());

/** Masters of earlier versions read it as a peel without connections, and ignore it. */
export const shardSchema = v.object({
  ...presenceSchema.entries,
  /** Connected peels: the time of their last change. */
  up: v.optional(timesSchema, {}),
  /** Disconnected peels: when they were last seen. */
  down: v.optional(timesSchema, {}),
  /** Of {@link FOLDED_KEY}: a sequence of the stream. */
  folded: v.optional(v.number()),
});
export type Shard = v.InferOutput<typeof shardSchema>;

/** The key of a value. Values of a smaller fleet stay, and count where nothing newer is known. */
export function shardKey(shard: number, shards: number): string {
  return `${SHARD_PREFIX}${shards}.${shard}`;
}

/** The value of a peel: a hash (FNV-1a) of its ID, so that it stays the same. */
export function shardOf(peelId: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < peelId.length; i += 1) {
    hash ^= peelId.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % shards;
}

/** @param peels `at`: milliseconds since 1970 */
export function encodeShard(
  peels: Iterable<{ peelId: string; at: number; isConnected: boolean }>,
  lastSeen: string,
): Shard {
  const shard: Shard = { connections: [], lastSeen, up: {}, down: {} };
  for (const { peelId, at, isConnected } of peels)
    (isConnected ? shard.up : shard.down)[peelId] = Math.round(at / 1000);
  return shard;
}
