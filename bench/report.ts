/** A time in the unit that reads best. */
export function duration(microseconds: number): string {
  return microseconds < 1_000 ? `${microseconds.toFixed(1)} us` : `${(microseconds / 1_000).toFixed(2)} ms`;
}

/** A bar: a ratio, or something else that has a unit, that must be at least, or at most, a bound. */
export interface Bar {
  what: string;
  ratio: number;
  bound: number;
  /** `x` by default: a ratio. */
  unit?: string;
  kind: 'at least' | 'at most';
}

/**
 * Prints bars and whether they are met.
 *
 * @returns whether all are
 */
export function printBars(bars: readonly Bar[]): boolean {
  const width = Math.max(...bars.map(({ what }) => what.length));
  let all = true;
  for (const { what, ratio, bound, kind, unit = 'x' } of bars) {
    const met = kind === 'at least' ? ratio >= bound : ratio <= bound;
    all &&= met;
    const shown = ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0);
    console.log(
      `  ${what.padEnd(width)}  ${shown.padStart(6)} ${unit.padEnd(2)}   bar: ${kind} ${bound} ${unit.padEnd(2)}   ${met ? 'met' : 'NOT MET'}`,
    );
  }
  return all;
}

/** Prints one line a subject. */
export function printTimes(times: Readonly<Record<string, number>>): void {
  const width = Math.max(...Object.keys(times).map((name) => name.length));
  for (const [name, time] of Object.entries(times)) {
    console.log(`  ${name.padEnd(width)}  ${duration(time).padStart(10)}`);
  }
}
