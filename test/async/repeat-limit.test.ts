import { afterEach, describe, expect, it, vi } from 'vitest';
import { RepeatLimit, type RepeatLimitOptions } from '../../src/async/repeat-limit.js';

afterEach(() => {
  vi.useRealTimers();
});

function started(options: Partial<RepeatLimitOptions<string>> = {}) {
  vi.useFakeTimers();
  const told: [thing: string, count: number, isOfMany: boolean][] = [];
  const limit = new RepeatLimit<string>({
    windowMs: 1_000,
    kinds: 3,
    report: (...args) => void told.push(args),
    ...options,
  });
  const note = (thing: string, source?: string) =>
    limit.note(thing, { kind: thing, rest: 'rest', ...(source !== undefined && { source }) });
  return { limit, told, note };
}

describe('a limit of repeated things', () => {
  it('reports the first of a kind at once, the number of the others when the window ends, and then the next one at once', () => {
    const { told, note } = started();
    for (let i = 0; i < 5; i += 1) note('a');
    expect(told).toEqual([['a', 1, false]]);
    vi.advanceTimersByTime(1_000);
    expect(told.slice(1)).toEqual([['a', 4, false]]);
    vi.advanceTimersByTime(10_000);
    note('a');
    expect(told.slice(2)).toEqual([['a', 1, false]]);
  });

  it('reports several at once if told so', () => {
    const { told, note } = started({ atOnce: 2 });
    for (let i = 0; i < 5; i += 1) note('a');
    vi.advanceTimersByTime(1_000);
    expect(told.map(([, count]) => count)).toEqual([1, 1, 3]);
  });

  it('counts the kinds of a source that has too many together', () => {
    const { told, note } = started();
    for (let i = 0; i < 100; i += 1) note(`kind ${i}`);
    note('kind 0', 'another source');
    vi.advanceTimersByTime(1_000);
    expect(told.map(([, count]) => count)).toEqual([1, 1, 1, 1, 1, 96]);
  });

  it('counts sources together when there are too many', () => {
    const { told, note } = started({ sources: 2 });
    for (let i = 0; i < 10; i += 1) note('a', `source ${i}`);
    vi.advanceTimersByTime(1_000);
    expect(told).toEqual([
      ['a', 1, false],
      ['a', 1, false],
      ['a', 1, true],
      ['a', 7, true],
    ]);
  });

  it('reports what it has counted when it is closed', () => {
    const { limit, told, note } = started();
    note('a');
    note('a');
    limit.close();
    vi.advanceTimersByTime(10_000);
    expect(told.map(([, count]) => count)).toEqual([1, 1]);
  });
});
