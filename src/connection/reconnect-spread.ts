// Computes the reconnect backoff of a peel, with jitter, so that a fleet does not reconnect all at once.
import { RECONNECT_MAX_WAIT_MS } from '../timing.js';

/**
 * The longest wait before an attempt, in milliseconds: the window before the first one, doubled after each failed
 * attempt, but at most 30 s (or the window, if that is longer).
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
 * The wait before an attempt, in milliseconds: a random time up to the longest ("full jitter"), so that a fleet's
 * attempts spread evenly.
 *
 * @param random from 0 to 1
 */
export function spreadWait(failures: number, windowMs: number, random: number): number {
  return longestWait(failures, windowMs) * random;
}

/**
 * The number of failed attempts to assume when a connection is lost. A connection shorter than the longest wait before
 * it counts as a failure, so that the backoff grows for a server that accepts a peel and drops it at once.
 *
 * @param failures attempts that had failed before it was made
 * @param lastedMs how long it was up
 */
export function failuresAfterLoss(failures: number, windowMs: number, lastedMs: number): number {
  return lastedMs >= longestWait(failures, windowMs) ? 0 : failures + 1;
}
