import { describe, expect, it, vi } from 'vitest';
import { Closing } from '../../../src/master/start/closing.js';
import { STOP_CUT_MS } from '../../../src/timing.js';

describe('the parts that a master started', () => {
  it('ends in the reverse order, each after the other', async () => {
    const closing = new Closing();
    const ended: string[] = [];
    expect(closing.add('store', (part) => void ended.push(part))).toBe('store');
    closing.add('services', async (part) => {
      await Promise.resolve();
      ended.push(part);
    });
    await closing.closeAll();
    expect(ended).toEqual(['services', 'store']);
  });

  it('closes once, even if stopped several times', async () => {
    const closing = new Closing();
    const end = vi.fn();
    closing.add('part', end);
    await closing.closeAll();
    await closing.closeAll();
    expect(end).toHaveBeenCalledTimes(1);
  });

  it('is not waited for any longer once its connections were cut', async () => {
    vi.useFakeTimers();
    try {
      const closing = new Closing();
      const ended: string[] = [];
      closing.add('quick', (part) => void ended.push(part));
      closing.add('hangs', () => new Promise(() => undefined));
      const all = closing.closeAll();
      closing.hurry();
      closing.hurry();
      await vi.advanceTimersByTimeAsync(STOP_CUT_MS);
      await all;
      expect(ended).toEqual(['quick']);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
