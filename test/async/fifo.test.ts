import { describe, expect, it } from 'vitest';
import { Fifo } from '../../src/async/fifo.js';

describe('a first-in, first-out queue', () => {
  it('gives its elements in the order in which they were added', () => {
    const queue = new Fifo<number>();
    queue.add(1);
    queue.add(2);
    expect(queue.take()).toBe(1);
    queue.add(3);
    expect(queue.size).toBe(2);
    expect([queue.take(), queue.take(), queue.take()]).toEqual([2, 3, undefined]);
    expect(queue.size).toBe(0);
  });

  it('is empty after it was cleared', () => {
    const queue = new Fifo<number>();
    queue.add(1);
    queue.add(2);
    queue.take();
    queue.add(3);
    queue.clear();
    expect([queue.size, queue.take()]).toEqual([0, undefined]);
  });
});
