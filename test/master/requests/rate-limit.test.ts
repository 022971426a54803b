import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../../src/master/requests/rate-limit.js';

/** A limit with a test clock. */
function limited(perSecond: number, burst: number) {
  const time = { ms: 0 };
  const limit = new RateLimit({ perSecond, burst, refusalsPerSecond: 1, clock: () => time.ms });
  const take = (caller: string, times: number) => {
    const counts = { pass: 0, refuse: 0, ignore: 0 };
    for (let i = 0; i < times; i++) counts[limit.take(caller)] += 1;
    return counts;
  };
  return { limit, time, take };
}

describe('the rate limit of requests', () => {
  it('allows a burst, then the rate per second; some refusals are reported, the rest are dropped at no cost', () => {
    const { take, time } = limited(2, 5);
    expect(take('a', 1_000)).toEqual({ pass: 5, refuse: 10, ignore: 985 });
    time.ms += 3_000;
    expect(take('a', 1_000)).toEqual({ pass: 5, refuse: 3, ignore: 992 });
    time.ms += 1_000;
    expect(take('a', 1_000)).toEqual({ pass: 2, refuse: 1, ignore: 997 });
  });

  it('is separate for each caller', () => {
    const { take } = limited(1, 3);
    take('a', 10_000);
    expect(take('b', 4)).toEqual({ pass: 3, refuse: 1, ignore: 0 });
  });

  it('a clock that is set back grants nothing and costs nothing', () => {
    const { take, time } = limited(1, 3);
    time.ms = 10_000;
    take('a', 3);
    time.ms = 0;
    expect(take('a', 1)).toEqual({ pass: 0, refuse: 1, ignore: 0 });
  });

  it('never passes more than the burst and the rate allow, in any pattern of requests', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 60 }), (waits) => {
        const { take, time } = limited(2, 5);
        let passed = 0;
        for (const wait of waits) {
          time.ms += wait;
          passed += take('a', 4).pass;
        }
        expect(passed).toBeLessThanOrEqual(5 + (2 * time.ms) / 1_000);
      }),
    );
  });

  it('forgets the callers that have been silent longest, so memory stays bounded', () => {
    const { take } = limited(1, 1);
    take('first', 1);
    expect(take('first', 1).pass).toBe(0);
    for (let i = 0; i < 50_000; i++) take(`other-${i}`, 1);
    // forgotten, and so allowed again; the last one is not
    expect(take('first', 1).pass).toBe(1);
    expect(take('other-49999', 1).pass).toBe(0);
  });
});
