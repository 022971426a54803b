/** A measured value and its time, in seconds. */
export type Sample = readonly [seconds: number, value: number];

/** The slope of a value. */
export interface Slope {
  /** Per hour, by least squares. */
  perHour: number;
  /** Half the width of the 95 % confidence interval, per hour. */
  uncertainty: number;
  mean: number;
}

/**
 * The line through samples.
 *
 * @param samples at least three, at different times
 */
export function slopeOf(samples: readonly Sample[]): Slope {
  const n = samples.length;
  if (n < 3) throw new RangeError(`${n} samples have no slope`);
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, sample) => sum + of(sample), 0) / n;
  const meanTime = mean(([time]) => time);
  const meanValue = mean(([, value]) => value);
  const spread = mean(([time]) => (time - meanTime) ** 2) * n;
  const slope = (mean(([time, value]) => (time - meanTime) * (value - meanValue)) * n) / spread;
  const rest = mean(([time, value]) => (value - meanValue - slope * (time - meanTime)) ** 2) * n;
  const uncertainty = 1.96 * Math.sqrt(rest / (n - 2) / spread);
  return { perHour: slope * 3600, uncertainty: uncertainty * 3600, mean: meanValue };
}

/**
 * Whether a value is stable: by the line through its samples, it has grown by no more than a share of its mean.
 *
 * @param share maximum growth over the measured time, as a share of the mean
 */
export function isFlat(samples: readonly Sample[], share: number): boolean {
  const { perHour, mean } = slopeOf(samples);
  const hours = ((samples.at(-1)?.[0] ?? 0) - (samples[0]?.[0] ?? 0)) / 3600;
  return perHour * hours <= share * mean;
}

/**
 * Whether a value that fluctuates, as buffers come and go, falls back to its former level: the minimum of the second
 * half of the time exceeds that of the first half by no more than a share.
 */
export function isFloorFlat(samples: readonly Sample[], share: number): boolean {
  const first = samples[0]?.[0] ?? 0;
  const middle = first + ((samples.at(-1)?.[0] ?? 0) - first) / 2;
  const floor = (of: (seconds: number) => boolean) =>
    Math.min(...samples.filter(([seconds]) => of(seconds)).map(([, value]) => value));
  return floor((seconds) => seconds >= middle) <= (1 + share) * floor((seconds) => seconds < middle);
}
