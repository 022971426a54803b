import { describe, expect, it } from 'vitest';
import { guarded, guardedNumber } from '../../src/async/guarded.js';

describe('a guarded callback', () => {
  it('passes its arguments on', () => {
    const calls: unknown[] = [];
    guarded(
      (...args: unknown[]) => calls.push(args),
      () => expect.unreachable(),
    )('a', 1);
    expect(calls).toEqual([['a', 1]]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
    [
      'rejects later',
      async () => {
        await Promise.resolve();
        throw new Error('mine');
      },
    ],
    [
      'gives a thenable that throws',
      () => ({
        then: () => {
          throw new Error('mine');
        },
      }),
    ],
    [
      'throws what is no error',
      () => {
        throw 'mine';
      },
    ],
  ])('that %s never throws, and is reported once', async (_how, callback) => {
    const reports: Error[] = [];
    const call = guarded(callback, (error) => reports.push(error));
    for (let i = 0; i < 3; i++) call();
    await new Promise(setImmediate);
    expect(reports.map(({ message }) => message)).toEqual(['mine']);
  });

  it('never throws because of its report', () => {
    guarded(
      () => {
        throw new Error('mine');
      },
      () => {
        throw new Error('the report');
      },
    )();
    guarded(
      () => {
        throw Object.create(null);
      },
      () => expect.unreachable(),
    )();
  });
});

describe('a guarded clock', () => {
  it('returns the callback’s value', () => {
    expect(
      guardedNumber(
        () => 7,
        () => 0,
        () => expect.unreachable(),
      )(),
    ).toBe(7);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['gives NaN', () => NaN],
    ['gives a text', () => '7' as unknown as number],
    ['gives a promise', () => Promise.resolve(7) as unknown as number],
  ])('that %s is replaced, and reported once', (_how, callback) => {
    const reports: Error[] = [];
    const clock = guardedNumber(
      callback,
      () => 42,
      (error) => reports.push(error),
    );
    expect([clock(), clock()]).toEqual([42, 42]);
    expect(reports).toHaveLength(1);
  });
});
