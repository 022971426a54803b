import { afterAll } from 'vitest';
import { Cleanup } from '../../src/testing/cleanup.js';

/**
 * What a test file started is ended after its last test, in reverse order, whether the tests passed or not. (Should the
 * worker itself be killed, the watchdog of `startNatsServer` ends the servers.)
 */
export const cleanup = new Cleanup();

afterAll(() => cleanup.run());

/**
 * Registers a cleanup.
 *
 * @returns runs it now, once; later calls and the end of the file do nothing then
 */
export function atEnd(end: () => Promise<unknown>): () => Promise<void> {
  return cleanup.add(end);
}
