import { expect, it } from 'vitest';
import {
  NAMED_CONNECTIONS,
  withNewestConnections,
} from '../../../src/protocol/records/newest-connections.js';

const connection = (cid: number) => ({
  server: 'N',
  cid,
  publicKey: 'U',
  since: new Date(1_000_000 + cid * 1000).toISOString(),
});
const presence = (cids: number[]) => ({
  lastSeen: new Date(0).toISOString(),
  connections: cids.map(connection),
});

it('a presence of a few connections names them all, and has no count', () => {
  const few = presence([3, 1, 2]);
  expect(withNewestConnections(few)).toBe(few);
});

it('a presence of thousands names the newest and counts all', () => {
  const many = withNewestConnections(presence(Array.from({ length: 4_000 }, (_, i) => 3_999 - i)));
  expect(many.count).toBe(4_000);
  expect(many.connections.map(({ cid }) => cid)).toEqual(
    Array.from({ length: NAMED_CONNECTIONS }, (_, i) => 4_000 - NAMED_CONNECTIONS + i),
  );
  expect(JSON.stringify(many).length).toBeLessThan(4_096);
});
