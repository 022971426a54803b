// The backoff between restarts of a server.
import { FIRST_RESTART_DELAY_MS, MAX_RESTART_DELAY_MS, STABLE_SERVER_MS } from '../timing.js';

/**
 * How long to wait before the next start of a server: doubled after each run that does not become stable.
 *
 * @param previousMs the delay before the last start; undefined: it was not a restart
 * @param ranMs how long the server then accepted clients; 0: it did not start
 * @returns milliseconds
 *
 * @example
 * restartDelay(undefined, 3_600_000); // 500
 * restartDelay(500, 1_000); // 1000
 */
export function restartDelay(previousMs: number | undefined, ranMs: number): number {
  if (previousMs === undefined || ranMs >= STABLE_SERVER_MS) return FIRST_RESTART_DELAY_MS;
  return Math.min(previousMs * 2, MAX_RESTART_DELAY_MS);
}
