import { Cleanup } from '../../src/testing/cleanup.js';

/**
 * Cleans up after the last test of a file, in reverse order, whether the tests passed or not (`end-of-file.ts` runs
 * it). If the worker itself is killed, the watchdog of `startNatsServer` stops the servers.
 */
export const cleanup = new Cleanup();

/**
 * Registers a cleanup.
 *
 * @returns a function that runs the cleanup now; later calls and the end of the file then do nothing
 */
export function atEnd(end: () => Promise<unknown>): () => Promise<void> {
  return cleanup.add(end);
}
