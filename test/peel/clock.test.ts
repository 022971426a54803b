import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FleetClock } from '../../src/peel/clock.js';

const MINUTE = 60_000;
/** The time on this machine while it is noon for the fleet. */
const at = (offset: number) => new FleetClock(() => NOON + offset);
const NOON = Date.UTC(2030, 0, 1, 12);

describe('the clock of a peel', () => {
  it('counts as right as long as nothing contradicts it', () => {
    const clock = at(0);
    clock.isAtLeast(NOON - MINUTE);
    clock.isAtMost(NOON + MINUTE);
    expect(clock.now()).toBe(NOON);
    expect(clock.isOff).toBe(false);
  });

  it('that is behind is advanced by later signatures', () => {
    const clock = at(-5 * MINUTE);
    clock.isAtLeast(NOON - 1_000);
    expect(clock.now()).toBe(NOON - 1_000);
    expect(clock.isOff).toBe(true);
  });

  it('that is ahead is set back by JWTs that a server still accepts', () => {
    const clock = at(5 * MINUTE);
    clock.isAtMost(NOON + 10_000);
    expect(clock.now()).toBe(NOON + 10_000);
    expect(clock.isOff).toBe(true);
  });

  it('is corrected by a master, regardless of earlier bounds', () => {
    for (const offset of [-5 * MINUTE, 5 * MINUTE, -86_400_000]) {
      const clock = at(offset);
      clock.isAtLeast(NOON - 86_400_000);
      clock.isAtMost(NOON + 3 * MINUTE);
      clock.confirm(NOON, clock.local(), clock.local());
      expect(clock.now()).toBe(NOON);
      expect(clock.offset).toBe(-offset);
      expect(clock.isOff).toBe(true);
    }
  });

  it('is not corrected for the time that an answer takes', () => {
    const clock = at(0);
    // sent 4 s ago, and answered at some point since
    clock.confirm(NOON - 3_000, NOON - 4_000, NOON);
    expect(clock.offset).toBe(0);
  });

  it('is never further from the master than the answer took', () => {
    const ms = fc.integer({ min: 0, max: 20_000 });
    fc.assert(
      fc.property(fc.integer({ min: -1e7, max: 1e7 }), ms, ms, (offset, before, after) => {
        const clock = at(offset);
        const received = clock.local();
        // by the master's clock the answer is from `after` ago
        clock.confirm(NOON - after, received - before - after, received);
        expect(Math.abs(clock.now() - NOON)).toBeLessThanOrEqual(before + after);
      }),
    );
  });

  it('in doubt considers nothing expired, nor too early, within ten minutes; confirmed, it is strict', () => {
    const clock = at(0);
    expect(clock.lenient()).toBe(NOON - 10 * MINUTE);
    expect(clock.latest()).toBe(NOON + 10 * MINUTE);
    clock.confirm(NOON, NOON, NOON);
    expect(clock.lenient()).toBe(NOON);
    expect(clock.latest()).toBe(NOON);
  });

  it('is reported once if it is off', () => {
    const clock = at(5 * MINUTE);
    expect(clock.offsetToReport()).toBeUndefined();
    clock.confirm(NOON, clock.local(), clock.local());
    expect(clock.offsetToReport()).toBe(-5 * MINUTE);
    expect(clock.offsetToReport()).toBeUndefined();
  });

  it('ignores invalid times', () => {
    const clock = at(0);
    clock.isAtLeast(NaN);
    clock.isAtMost(NaN);
    expect(clock.now()).toBe(NOON);
  });
});
