import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { allInOrder } from '../../src/async/all-in-order.js';

const later = async (turns: number, message: string): Promise<never> => {
  for (let i = 0; i < turns; i += 1) await nextTurn();
  throw new Error(message);
};

it('returns all values', async () => {
  expect(await allInOrder([Promise.resolve(1), nextTurn('two')])).toEqual([1, 'two']);
});

it('throws the error of the first in the list, even if another one failed earlier', async () => {
  await expect(allInOrder([Promise.resolve(1), later(3, 'first'), later(1, 'second')])).rejects.toThrow(
    'first',
  );
});

it('waits for all of them, even if one fails', async () => {
  let isDone = false;
  const slow = nextTurn()
    .then(nextTurn)
    .then(() => (isDone = true));
  await expect(allInOrder([later(0, 'failed'), slow])).rejects.toThrow('failed');
  expect(isDone).toBe(true);
});
