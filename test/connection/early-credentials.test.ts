import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EarlyCredentials } from '../../src/connection/early-credentials.js';

const DAY = 86_400_000;

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

/** Credentials that are valid from a time on, by a clock that may be set. */
function early(validFrom: number | undefined) {
  const clock = { ahead: 0 };
  const checks: number[] = [];
  const of = new EarlyCredentials(
    {
      get validInMs() {
        return validFrom === undefined ? undefined : validFrom - Date.now() - clock.ahead;
      },
    },
    () => checks.push(Date.now()),
  );
  return { of, clock, checks };
}

describe('credentials that are not valid yet', () => {
  it('are checked again when they are, and not before', () => {
    const { of, checks } = early(1_500);
    of.schedule();
    vi.advanceTimersByTime(1_499);
    expect(checks).toEqual([]);
    vi.advanceTimersByTime(DAY);
    expect(checks).toEqual([1_500]);
  });

  it('are checked again if that is further away than the longest timer', () => {
    const { of, checks } = early(30 * DAY);
    of.schedule();
    vi.advanceTimersByTime(30 * DAY - 1);
    expect(checks).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(checks).toEqual([30 * DAY]);
  });

  it('are checked within a minute after the clock was set', () => {
    const { of, clock, checks } = early(DAY);
    of.schedule();
    clock.ahead = DAY;
    vi.advanceTimersByTime(60_000);
    expect(checks).toEqual([60_000]);
  });

  it('have one timer, however often they are checked', () => {
    const { of, checks } = early(1_500);
    for (let i = 0; i < 3; i += 1) of.schedule();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1_500);
    expect(checks).toEqual([1_500]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('have no timer once they are replaced, or the connection is closed', () => {
    const replaced = early(undefined);
    replaced.of.schedule();
    const closed = early(1_500);
    closed.of.schedule();
    closed.of.stop();
    closed.of.schedule();
    expect(vi.getTimerCount()).toBe(0);
  });
});
