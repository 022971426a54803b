// Names temporary files, and removes stale ones.
import { randomBytes } from 'node:crypto';
import { readdir, stat, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { threadId } from 'node:worker_threads';
import { hostTag } from './host-tag.js';
import { isSameProcess } from './process-identity.js';
import { TEMPORARY_MAX_AGE_MS, TEMPORARY_SWEEP_INTERVAL_MS } from '../timing.js';

// While it is written, a file has a temporary name in its directory that identifies the writer. This distinguishes
// leftovers of dead writers from writes in progress.

/** Reserves a new temporary name for the file `name`, until {@link releaseTemporary}. */
export function reserveTemporary(name: string): string {
  count = (count + 1) % 0x1000000;
  const tail = `${start}${count.toString(16).padStart(6, '0')}`;
  const temporary = `.${name}.zester-tmp-${hostTag}-${process.pid}-${threadId}-${tail}`;
  live.add(temporary);
  return temporary;
}

/** Call it after the rename or removal. */
export function releaseTemporary(temporary: string): void {
  live.delete(temporary);
}

/**
 * Removes temporary files of dead writers from a directory; those of live writers stay.
 *
 * @param name only temporary files of this file; if absent, of every file
 */
export async function sweepStaleTemporaries(directory: string, name?: string): Promise<void> {
  const entries = await readdir(directory).catch(() => []);
  for (const entry of entries) {
    const parsed = TEMPORARY.exec(entry);
    if (parsed === null || (name !== undefined && parsed[1] !== name)) continue;
    const path = join(directory, entry);
    if (!live.has(entry) && (await isStale(path, parsed))) await unlink(path).catch(() => undefined);
  }
}

/**
 * Like {@link sweepStaleTemporaries} for a whole directory, but at most once an hour per thread, so that writing many
 * files to a directory lists it once.
 */
export async function sweepOnce(directory: string): Promise<void> {
  const path = resolve(directory);
  const now = performance.now();
  const last = swept.get(path);
  if (last !== undefined && now - last < TEMPORARY_SWEEP_INTERVAL_MS) return;
  if (swept.size >= MAX_SWEPT) swept.clear();
  swept.set(path, now);
  await sweepStaleTemporaries(path);
}

/** When each directory was swept, by `performance.now()`. */
const swept = new Map<string, number>();
const MAX_SWEPT = 1_000;

/** Temporary names that this thread is writing to. Names, not paths, since a directory may have several paths. */
const live = new Set<string>();

/** A unique suffix: a random prefix, since process IDs are reused, and a counter. */
const start = randomBytes(3).toString('hex');
let count = 0;

const TEMPORARY = /^\.(.+)\.zester-tmp-([0-9a-f]{6})-(\d+)-(\d+)-[0-9a-f]{12}$/;

async function isStale(path: string, [, , host, pid, thread]: RegExpExecArray): Promise<boolean> {
  if (host === hostTag) {
    if (Number(pid) === process.pid && Number(thread) === threadId) return true; // ours, and not in `live`
    if (!isSameProcess({ pid: Number(pid) })) return true;
  }
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > TEMPORARY_MAX_AGE_MS;
}
