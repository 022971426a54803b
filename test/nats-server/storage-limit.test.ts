import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { storageLimit, storageLimitOf } from '../../src/nats-server/storage-limit.js';
import { tempDir } from '../support/temp-dir.js';

it('lets JetStream use three quarters of the available space, including its current usage', () => {
  expect(storageLimit({ free: 100e9, used: 0 })).toBe(75e9);
  expect(storageLimit({ free: 40e9, used: 60e9 })).toBe(75e9);
  // a disk that is full when the server starts must not limit it until the next start
  expect(storageLimit({ free: 0, used: 60e9 })).toBe(60e9 + 64 * 1024 * 1024);
});

it("counts a directory's usage, and leaves the limit to the server if the directory is missing", async () => {
  const directory = await tempDir();
  const { blocks, bsize } = await statfs(directory);
  await writeFile(join(directory, 'a'), Buffer.alloc(1 << 20));
  const limit = await storageLimitOf(directory);
  expect(limit).toBeGreaterThan(0.7 * (1 << 20));
  expect(limit).toBeLessThanOrEqual(0.75 * blocks * bsize + (66 << 20));
  expect(await storageLimitOf(join(directory, 'missing'))).toBeUndefined();
});
