// Tests whether a disk can be written to.
import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The required space in bytes: the server's first writes after its start, and some minutes of a fleet's writes. */
const PROBE_BYTES = 4 * 1024 * 1024;

/**
 * Whether a file of 4 MiB can be written and synced in a directory. The file is removed again. The file system's
 * reported free space would not reveal a quota, or a disk that was remounted read-only after an error.
 */
export async function hasDiskRoom(directory: string): Promise<boolean> {
  const path = join(directory, `.zester-room-${randomUUID()}`);
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(Buffer.alloc(PROBE_BYTES));
      await file.sync();
    } finally {
      await file.close();
    }
    return true;
  } catch {
    return false;
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}
