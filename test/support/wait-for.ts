import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks repeatedly until there is an answer, for what gives no event to wait for.
 *
 * @param what the words for the error when there is none in time
 * @returns the first answer that is not undefined and not false
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let failure: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await delay(25);
  }
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause: failure });
}
