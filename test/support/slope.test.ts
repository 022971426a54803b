import { describe, expect, it } from 'vitest';
import { isFlat, isFloorFlat, slopeOf, type Sample } from './slope.js';

const every = (value: (i: number) => number): Sample[] =>
  Array.from({ length: 100 }, (_, i): Sample => [i * 6, value(i)]);

describe('a slope', () => {
  it('is that of the line through the samples, with its uncertainty', () => {
    const exact = slopeOf(every((i) => 1_000 + i));
    expect(exact.perHour).toBeCloseTo(600);
    expect(exact.uncertainty).toBeCloseTo(0);
    const noisy = slopeOf(every((i) => 1_000 + i + (i % 2 === 0 ? 20 : -20)));
    expect(Math.abs(noisy.perHour - 600)).toBeLessThan(noisy.uncertainty);
  });

  it('needs three samples', () => {
    expect(() => slopeOf([[0, 1]])).toThrow(RangeError);
  });

  it('is flat where the value goes up and down, and not where it only goes up', () => {
    expect(
      isFlat(
        every((i) => 1_000 + (i % 10) * 30),
        0.05,
      ),
    ).toBe(true);
    expect(
      isFlat(
        every((i) => 1_000 + i),
        0.05,
      ),
    ).toBe(false);
    expect(
      isFlat(
        every((i) => 1_000 - i),
        0.05,
      ),
    ).toBe(true);
  });

  it('falls back to its floor where buffers come and go, and not where something is kept', () => {
    const sawtooth = (i: number) => (Math.floor(i / 60) % 2 === 1 ? 4_000 : 0);
    expect(
      isFloorFlat(
        every((i) => 1_000 + sawtooth(i)),
        0.05,
      ),
    ).toBe(true);
    expect(
      isFloorFlat(
        every((i) => 1_000 + 2 * i + sawtooth(i)),
        0.05,
      ),
    ).toBe(false);
  });
});
