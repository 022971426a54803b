import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './cleanup.js';

/** A new directory (0700), removed with what is in it after the last test of the file. */
export async function tempDir(): Promise<string> {
  const path = await mkdtemp(join(await realpath(tmpdir()), 'zester-test-'));
  atEnd(() => rm(path, { recursive: true, force: true }));
  return path;
}
