import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { eachAtOnce } from '../../src/async/each-at-once.js';

it('acts on every item, and on no more than allowed at a time', async () => {
  const done: number[] = [];
  let active = 0;
  let most = 0;
  await eachAtOnce([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, (active += 1));
    await nextTurn();
    active -= 1;
    done.push(item);
  });
  expect(done).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

it('starts no more after a failure, completes what has started, then throws the first error', async () => {
  const started: number[] = [];
  const done: number[] = [];
  const all = eachAtOnce([1, 2, 3, 4, 5], 3, async (item) => {
    started.push(item);
    if (item === 2) throw new Error('first');
    await nextTurn();
    if (item === 1) throw new Error('second');
    await nextTurn();
    done.push(item);
  });
  await expect(all).rejects.toThrow('first');
  expect(started).toEqual([1, 2, 3]);
  expect(done).toEqual([3]);
});

it('starts no more once it is aborted, and completes what has started', async () => {
  const stop = new AbortController();
  const done: number[] = [];
  await eachAtOnce(
    [1, 2, 3, 4],
    2,
    async (item) => {
      if (item === 2) stop.abort();
      await nextTurn();
      done.push(item);
    },
    stop.signal,
  );
  expect(done).toEqual([1, 2]);
});
