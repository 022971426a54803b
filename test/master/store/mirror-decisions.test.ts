import { describe, expect, it } from 'vitest';
import { HeldValues } from '../../../src/master/store/held-values.js';
import { WatchProgress } from '../../../src/master/store/watch-progress.js';
import { conflictPause, writeStep } from '../../../src/master/store/write-step.js';
import { CONFLICT_MAX_PAUSE_MS } from '../../../src/timing.js';

describe('the values of a bucket in memory', () => {
  it('are the newest, in any order of arrival', () => {
    const held = new HeldValues<string>();
    expect(held.take('a', 'two', 2)).toEqual({ value: 'two', before: undefined });
    expect(held.take('a', 'one', 1)).toBeUndefined();
    expect(held.take('a', 'two again', 2)).toBeUndefined();
    expect(held.take('a', 'three', 3)).toEqual({ value: 'three', before: 'two' });
    expect([...held.entries()]).toEqual([['a', 'three']]);
  });

  it('are removed by a later deletion, and not by an earlier one', () => {
    const held = new HeldValues<string>();
    held.take('a', 'two', 2);
    expect(held.drop('a', 1)).toBeUndefined();
    expect(held.drop('a', 3)).toEqual({ value: undefined, before: 'two' });
    expect(held.drop('a', 4)).toBeUndefined();
    expect(held.size).toBe(0);
  });
});

describe('a compare-and-set', () => {
  const current = { value: 'v', revision: 7 };

  it('writes the decision at the revision that it is based on', () => {
    expect(writeStep(current, 'w', false)).toEqual({ do: 'write', value: 'w', revision: 7 });
    expect(writeStep(undefined, 'w', true)).toEqual({ do: 'write', value: 'w', revision: 0 });
    const deleted = { value: undefined, revision: 9 };
    expect(writeStep(deleted, 'w', true)).toEqual({ do: 'write', value: 'w', revision: 9 });
  });

  it('confirms in the bucket that nothing has to change', () => {
    expect(writeStep(current, undefined, false)).toEqual({ do: 'confirm' });
    expect(writeStep(current, undefined, true)).toEqual({ do: 'leave', value: 'v' });
    expect(writeStep(undefined, undefined, true)).toEqual({ do: 'leave', value: undefined });
  });

  it('pauses longer after each conflict, up to a limit', () => {
    expect(conflictPause(2)).toBe(2 * conflictPause(1));
    expect(conflictPause(100)).toBe(CONFLICT_MAX_PAUSE_MS);
  });
});

describe('the watch of a bucket', () => {
  it('has caught up with the last revision that was there, or the first that came after', () => {
    expect(new WatchProgress().note({ revision: 4, isUpdate: false }, 5)).toBe(false);
    expect(new WatchProgress().note({ revision: 5, isUpdate: false }, 5)).toBe(true);
    expect(new WatchProgress().note({ revision: 3, isUpdate: true }, 5)).toBe(true);
  });

  it('has stopped when it is behind in two checks in a row', () => {
    const progress = new WatchProgress();
    progress.note({ revision: 5, isUpdate: true }, 5);
    expect([5, 6].map((last) => progress.hasStopped(last))).toEqual([false, false]);
    progress.note({ revision: 6, isUpdate: true }, 5);
    expect([6, 7, 8, 9, 10].map((last) => progress.hasStopped(last))).toEqual([
      false,
      false,
      true,
      false,
      true,
    ]);
    progress.reset();
    expect(progress.last).toBe(0);
  });

  it('has not stopped while it catches up, however far behind it is', () => {
    const progress = new WatchProgress();
    for (let revision = 1; revision < 10; revision += 1) {
      progress.note({ revision, isUpdate: true }, 5);
      expect(progress.hasStopped(1_000_000)).toBe(false);
    }
    expect(progress.hasStopped(1_000_000)).toBe(true);
  });
});
