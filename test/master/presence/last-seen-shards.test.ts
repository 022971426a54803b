import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import {
  encodeShard,
  shardOf,
  shardSchema,
  shardsFor,
} from '../../../src/master/presence/last-seen-shards.js';
import { presenceSchema } from '../../../src/protocol/records/presence.js';

describe('the stored last-seen times of peels', () => {
  const at = Date.parse('2030-01-01T00:00:00Z');
  const shard = encodeShard(
    [
      { peelId: 'web-01', at, isConnected: true },
      { peelId: 'web-02', at: at + 1_000, isConnected: false },
      { peelId: 'constructor', at, isConnected: true },
    ],
    '2030-01-02T00:00:00Z',
  );

  it('record for many peels in one value whether they were connected', () => {
    expect(v.parse(shardSchema, JSON.parse(JSON.stringify(shard)))).toMatchObject({
      up: { 'web-01': at / 1000, constructor: at / 1000 },
      down: { 'web-02': at / 1000 + 1 },
    });
  });

  it('are empty presence to a master of an earlier version', () => {
    expect(v.parse(presenceSchema, shard)).toEqual({ connections: [], lastSeen: '2030-01-02T00:00:00Z' });
  });

  it('are one value for a small fleet, and more for a large one', () => {
    expect([0, 1, 1_000, 1_001, 5_000, 100_000].map(shardsFor)).toEqual([1, 1, 1, 2, 8, 128]);
    expect(shardsFor(1e9)).toBe(4_096);
  });

  it('spread peels evenly over values, each always in the same one', () => {
    const counts = new Array<number>(256).fill(0);
    for (let i = 0; i < 100 * 256; i += 1) {
      const shard = shardOf(`web-${i}`, 256);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    expect(Math.max(...counts)).toBeLessThan(200);
    expect(Math.min(...counts)).toBeGreaterThan(20);
    expect(shardOf('web-01', 256)).toBe(shardOf('web-01', 256));
  });
});
