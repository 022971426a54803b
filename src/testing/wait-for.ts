// Polls for conditions that emit no event.
import { setTimeout as delay } from 'node:timers/promises';
import { TEST_MAX_POLL_MS, TEST_POLL_MS, TEST_WAIT_TIMEOUT_MS } from '../timing.js';

/**
 * Polls until there is an answer, for conditions that emit no event. Cost: a long wait polls less often, so that it is
 * at most a twentieth longer than necessary.
 *
 * @param what the condition, for the timeout error
 * @returns the first answer that is not undefined and not false
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = TEST_WAIT_TIMEOUT_MS,
): Promise<T> {
  const startedAt = performance.now();
  const deadline = startedAt + timeoutMs;
  let failure: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    const waited = performance.now() - startedAt;
    await delay(Math.min(Math.max(TEST_POLL_MS, waited / 20), TEST_MAX_POLL_MS));
  }
  throw new Error(`waited ${timeoutMs} ms for ${what}, in vain`, { cause: failure });
}
