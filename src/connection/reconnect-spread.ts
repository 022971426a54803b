// Decides how long a peel waits before it reconnects, so that a fleet does not come back all at once.
import { RECONNECT_MAX_WAIT_MS } from '../timing.js';

/**
 * The longest wait before an attempt, in milliseconds: the window before the first, twice as long after each attempt that
 * failed, and never longer than 30 s, or the window where that is longer.
 *
 * @param failures attempts that have failed since the connection was lost
 * @param windowMs the window of the first attempt
 *
 * @example
 * longestWait(0, 2_000); // 2000
 * longestWait(3, 2_000); // 16000
 */
export function longestWait(failures: number, windowMs: number): number {
  return Math.min(windowMs * 2 ** Math.min(failures, 30), Math.max(windowMs, RECONNECT_MAX_WAIT_MS));
}

/**
 * The wait before an attempt, in milliseconds: any time up to the longest ("full jitter"), so that the attempts of a fleet are
 * spread evenly.
 *
 * @param random from 0 to 1
 */
export function spreadWait(failures: number, windowMs: number, random: number): number {
  return longestWait(failures, windowMs) * random;
}

/**
 * How many attempts count as failed when a connection is lost. One that did not last as long as the wait before it may have
 * been counts as a failure: a server that accepts a peel and drops it at once is not asked ever faster.
 *
 * @param failures attempts that had failed before it was made
 * @param lastedMs how long it was up
 */
export function failuresAfterLoss(failures: number, windowMs: number, lastedMs: number): number {
  return lastedMs >= longestWait(failures, windowMs) ? 0 : failures + 1;
}
