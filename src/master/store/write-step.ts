// Decides the next step of a compare-and-set on a bucket.
import { CONFLICT_FIRST_PAUSE_MS, CONFLICT_MAX_PAUSE_MS } from '../../timing.js';
import type { Held } from './held-values.js';

/**
 * How to continue after a decision on a value: write it at this revision, confirm it by the bucket's own value, or leave it.
 */
export type WriteStep<T> =
  | { do: 'write'; value: T; revision: number }
  | { do: 'confirm' }
  | { do: 'leave'; value: T | undefined };

/**
 * The next step.
 *
 * "No change" counts only for the value in the bucket, not for the one in memory.
 *
 * @param current the value that the decision is based on; its value is undefined if the key was deleted
 * @param wanted the decision; undefined: no change
 * @param isConfirmed whether `current` was read from the bucket
 */
export function writeStep<T>(
  current: Held<T | undefined> | undefined,
  wanted: T | undefined,
  isConfirmed: boolean,
): WriteStep<T> {
  if (wanted !== undefined) return { do: 'write', value: wanted, revision: current?.revision ?? 0 };
  return isConfirmed ? { do: 'leave', value: current?.value } : { do: 'confirm' };
}

/**
 * The longest pause in milliseconds before rereading a value after a conflict.
 *
 * @param attempts the number of earlier attempts: the first conflict needs no pause, since the value in memory was
 *   merely stale
 * @example conflictPause(1); // 10
 */
export function conflictPause(attempts: number): number {
  return Math.min(CONFLICT_MAX_PAUSE_MS, CONFLICT_FIRST_PAUSE_MS * 2 ** attempts);
}
