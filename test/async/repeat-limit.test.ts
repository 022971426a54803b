import { afterEach, describe, expect, it, vi } from 'vitest';
import { RepeatLimit, type RepeatLimitOptions } from '../../src/async/repeat-limit.js';

afterEach(() => {
  vi.useRealTimers();
});

function started(options: Partial<RepeatLimitOptions<string>> = {}) {
  vi.useFakeTimers();
  const reported: [thing: string, count: number, isOfMany: boolean][] = [];
  const limit = new RepeatLimit<string>({
    windowMs: 1_000,
    kinds: 3,
    report: (...args) => void reported.push(args),
    ...options,
  });
  const note = (thing: string, source?: string) =>
    limit.note(thing, { kind: thing, rest: 'rest', ...(source !== undefined && { source }) });
  return { limit, reported, note };
}

describe('a limit of repeated things', () => {
  it('reports the first of a kind at once, the number of the others when the window ends, and then the next one at once', () => {
    const { reported, note } = started();
    for (let i = 0; i < 5; i += 1) note('a');
    expect(reported).toEqual([['a', 1, false]]);
    vi.advanceTimersByTime(1_000);
    expect(reported.slice(1)).toEqual([['a', 4, false]]);
    vi.advanceTimersByTime(10_000);
    note('a');
    expect(reported.slice(2)).toEqual([['a', 1, false]]);
  });

  it('reports several at once if configured', () => {
    const { reported, note } = started({ atOnce: 2 });
    for (let i = 0; i < 5; i += 1) note('a');
    vi.advanceTimersByTime(1_000);
    expect(reported.map(([, count]) => count)).toEqual([1, 1, 3]);
  });

  it('counts the kinds of a source that has too many together', () => {
    const { reported, note } = started();
    for (let i = 0; i < 100; i += 1) note(`kind ${i}`);
    note('kind 0', 'another source');
    vi.advanceTimersByTime(1_000);
    expect(reported.map(([, count]) => count)).toEqual([1, 1, 1, 1, 1, 96]);
  });

  it('counts sources together when there are too many', () => {
    const { reported, note } = started({ sources: 2 });
    for (let i = 0; i < 10; i += 1) note('a', `source ${i}`);
    vi.advanceTimersByTime(1_000);
    expect(reported).toEqual([
      ['a', 1, false],
      ['a', 1, false],
      ['a', 1, true],
      ['a', 7, true],
    ]);
  });

  it('reports what it has counted when it is closed', () => {
    const { limit, reported, note } = started();
    note('a');
    note('a');
    limit.close();
    vi.advanceTimersByTime(10_000);
    expect(reported.map(([, count]) => count)).toEqual([1, 1]);
  });
});
