// Decides the next step of a compare-and-set on a bucket.
import { CONFLICT_FIRST_PAUSE_MS, CONFLICT_MAX_PAUSE_MS } from '../../timing.js';
import type { Held } from './held-values.js';

/** What to do with what was decided on a value: write it at this revision, confirm it by the bucket's own value, or end. */
export type WriteStep<T> =
  { do: 'write'; value: T; revision: number } | { do: 'confirm' } | { do: 'leave'; value: T | undefined };

/**
 * The next step.
 *
 * That nothing has to change counts only for the value in the bucket, not for the one in memory.
 *
 * @param standing what the decision rests on; its value is undefined where the key was deleted
 * @param wanted the decision; undefined: no change
 * @param isConfirmed whether `standing` was read from the bucket
 */
export function writeStep<T>(
  standing: Held<T | undefined> | undefined,
  wanted: T | undefined,
  isConfirmed: boolean,
): WriteStep<T> {
  if (wanted !== undefined) return { do: 'write', value: wanted, revision: standing?.revision ?? 0 };
  return isConfirmed ? { do: 'leave', value: standing?.value } : { do: 'confirm' };
}

/**
 * The longest pause before the value is read again that another master wrote, in milliseconds.
 *
 * @param attempts how many there were before: the first conflict needs no pause, for what was in memory was merely old
 * @example conflictPause(1); // 10
 */
export function conflictPause(attempts: number): number {
  return Math.min(CONFLICT_MAX_PAUSE_MS, CONFLICT_FIRST_PAUSE_MS * 2 ** attempts);
}
