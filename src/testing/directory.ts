// Makes the temporary directory of a test.
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.js';

/** A new directory (0700), removed at the end with its content. */
export async function temporaryDirectory(cleanup: Cleanup): Promise<string> {
  const path = await mkdtemp(join(await realpath(tmpdir()), 'zester-test-'));
  cleanup.add(() => rm(path, { recursive: true, force: true }));
  return path;
}
