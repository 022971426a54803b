import { Cleanup } from '../../src/testing/cleanup.js';

/**
 * What a test file started is ended after its last test, in reverse order, whether the tests passed or not
 * (`end-of-file.ts` does it). Should the worker itself be killed, the watchdog of `startNatsServer` ends the servers.
 */
export const cleanup = new Cleanup();

/**
 * Registers a cleanup.
 *
 * @returns runs it now, once; later calls and the end of the file do nothing then
 */
export function atEnd(end: () => Promise<unknown>): () => Promise<void> {
  return cleanup.add(end);
}
