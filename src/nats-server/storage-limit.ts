// Decides how much JetStream may store on the disk of a server that Zester runs.
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** Of what the disk has for JetStream: the rest is for what JetStream does not count (its indexes and logs), and for other programs. */
const SHARE = 3 / 4;
/** But so much more than it has, in bytes: a disk that is full now may have room later, while the limit stays until the next start. */
const LEAST_MORE = 64 * 1024 * 1024;

/**
 * The limit (`max_file_store`), in bytes: three quarters of what is free and of what JetStream has already. nats-server's own default is
 * three quarters of what is free when it starts, so it shrinks with what is stored, and may be less than that after a restart.
 *
 * @example storageLimit({ free: 60e9, used: 40e9 }); // 75e9
 */
export function storageLimit({ free, used }: { free: number; used: number }): number {
  return Math.max(Math.floor((free + used) * SHARE), used + LEAST_MORE);
}

/**
 * The limit for a directory.
 *
 * @returns undefined: the system does not tell, and the server decides
 */
export async function storageLimitOf(directory: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return storageLimit({ free: bavail * bsize, used: await bytesIn(directory) });
  } catch {
    return undefined;
  }
}

/** What the files below a directory take on the disk, in bytes. Files that vanish meanwhile count nothing. */
async function bytesIn(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    bytes += (found?.blocks ?? 0) * 512;
  }
  return bytes;
}
