import { temporaryDirectory } from '../../src/testing/directory.js';
import { cleanup } from './cleanup.js';

/** A new directory (0700), removed with its content after the last test of the file. */
export async function tempDir(): Promise<string> {
  return temporaryDirectory(cleanup);
}
