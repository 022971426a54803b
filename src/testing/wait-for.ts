// Polls for conditions that emit no event.
import { setTimeout as delay } from 'node:timers/promises';
import { TEST_POLL_MS, TEST_WAIT_TIMEOUT_MS } from '../timing.js';

/**
 * Polls until there is an answer, for conditions that emit no event.
 *
 * @param what the condition, for the timeout error
 * @returns the first answer that is not undefined and not false
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = TEST_WAIT_TIMEOUT_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let failure: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await delay(TEST_POLL_MS);
  }
  throw new Error(`waited ${timeoutMs} ms for ${what}, in vain`, { cause: failure });
}
