import { describe, expect, it } from 'vitest';
import { isForWorker, nextStep } from '../../src/provision/batch-schedule.js';

describe('batches of credentials', () => {
  it('are issued in this thread if there are no workers, and the first three in any case', () => {
    expect([1, 3, 4, 100].map((batch) => isForWorker(batch, 0))).toEqual([false, false, false, false]);
    expect([1, 3, 4, 100].map((batch) => isForWorker(batch, 2))).toEqual([false, false, true, true]);
  });

  it('are yielded one by one while this thread issues them: reads no more IDs than requested', () => {
    expect(nextStep({ readAll: false, begun: 0, underWay: 0 }, 2)).toBe('read');
    expect(nextStep({ readAll: false, begun: 3, underWay: 1 }, 2)).toBe('handOut');
    expect(nextStep({ readAll: false, begun: 3, underWay: 0 }, 2)).toBe('read');
    expect(nextStep({ readAll: false, begun: 100, underWay: 1 }, 0)).toBe('handOut');
  });

  it('of workers are in progress, two per worker, and are handed out as soon as they are done', () => {
    expect(nextStep({ readAll: false, begun: 4, underWay: 1 }, 2)).toBe('either');
    expect(nextStep({ readAll: false, begun: 6, underWay: 3 }, 2)).toBe('either');
    expect(nextStep({ readAll: false, begun: 7, underWay: 4 }, 2)).toBe('handOut');
  });

  it('are all handed out after the last id', () => {
    expect(nextStep({ readAll: true, begun: 9, underWay: 2 }, 2)).toBe('handOut');
    expect(nextStep({ readAll: true, begun: 9, underWay: 0 }, 2)).toBe('end');
    expect(nextStep({ readAll: true, begun: 0, underWay: 0 }, 2)).toBe('end');
  });
});
