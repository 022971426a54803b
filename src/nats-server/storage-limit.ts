// Decides JetStream's storage limit for a server that Zester runs.
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The fraction of the available space for JetStream: the rest is for uncounted data (indexes and logs), and for other
 * programs.
 */
const SHARE = 3 / 4;
/**
 * The minimum above the current usage, in bytes: a full disk may have room later, but the limit stays until the next
 * start.
 */
const LEAST_MORE = 64 * 1024 * 1024;

/**
 * The limit (`max_file_store`), in bytes: three quarters of the sum of free space and JetStream's usage. nats-server's
 * own default is three quarters of the free space at its start, so it shrinks as data is stored, and may be below the
 * usage after a restart.
 *
 * @example storageLimit({ free: 60e9, used: 40e9 }); // 75e9
 */
export function storageLimit({ free, used }: { free: number; used: number }): number {
  return Math.max(Math.floor((free + used) * SHARE), used + LEAST_MORE);
}

/**
 * The limit for a directory.
 *
 * @returns undefined if the system does not report it: the server decides
 */
export async function storageLimitOf(directory: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return storageLimit({ free: bavail * bsize, used: await bytesIn(directory) });
  } catch {
    return undefined;
  }
}

/** The disk usage of the files below a directory, in bytes. Files that vanish meanwhile do not count. */
async function bytesIn(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    bytes += (found?.blocks ?? 0) * 512;
  }
  return bytes;
}
