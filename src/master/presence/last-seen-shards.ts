// When peels were last seen, as it is stored: many peels in one value.
import * as v from 'valibot';
import { presenceSchema } from '../../protocol/records/presence.js';

/** Peels in one value, at most on average: some ten kilobytes. */
const PEELS_PER_SHARD = 1_000;
const MOST_SHARDS = 4_096;

/** How many values a fleet of so many peels has. It only grows, by doubling, so that peels seldom move to another one. */
export function shardsFor(peels: number): number {
  let shards = 1;
  while (shards < MOST_SHARDS && peels > shards * PEELS_PER_SHARD) shards *= 2;
  return shards;
}

/** The keys of the values begin with this. A peel's ID does not begin with `_`. */
export const SHARD_PREFIX = '_seen.';
/** The key that says up to where the values of earlier versions, one for each peel, have been read. */
export const FOLDED_KEY = `${SHARD_PREFIX}folded`;

/** A time in seconds since 1970, by peel ID. */
const timesSchema = v.record(v.string(), v.number());

/** Masters of earlier versions take it for a peel without connections, and ignore it. */
export const shardSchema = v.object({
  ...presenceSchema.entries,
  /** Peels that are connected: since when nothing has changed. */
  up: v.optional(timesSchema, {}),
  /** Peels that are not: when they were last seen. */
  down: v.optional(timesSchema, {}),
  /** Of {@link FOLDED_KEY}: a sequence of the stream. */
  folded: v.optional(v.number()),
});
export type Shard = v.InferOutput<typeof shardSchema>;

/** The key of a value. Those of a smaller fleet stay, and count where nothing newer is known. */
export function shardKey(shard: number, shards: number): string {
  return `${SHARD_PREFIX}${shards}.${shard}`;
}

/** The value that a peel is in: by its ID, so that it stays the same. FNV-1a. */
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
