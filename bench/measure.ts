/** One thing to measure: a function, and how many times it runs in a round. */
export interface Subject {
  run: () => unknown;
  /** As many as take their share of garbage collections too. */
  timesPerRound: number;
}

/**
 * Measures subjects side by side: round by round, each in turn, so that a machine that gets slower or faster does so for
 * all of them alike. Each runs for a while before the first round, until its code is compiled.
 *
 * What is measured is this process's processor time, so that what else the machine does hardly counts; what the garbage
 * collector's threads do for it does.
 *
 * @returns the median time of one run of each, in microseconds
 */
export async function measure<Name extends string>(
  subjects: Readonly<Record<Name, Subject>>,
  rounds: number,
): Promise<Record<Name, number>> {
  const entries = Object.entries(subjects) as [Name, Subject][];
  const times = new Map<Name, number[]>(entries.map(([name]) => [name, []]));
  for (const [, { run }] of entries) {
    const end = performance.now() + WARM_UP_MS;
    while (performance.now() < end) await run();
  }
  for (let round = 0; round < rounds; round++) {
    for (const [name, { run, timesPerRound }] of entries) {
      const start = process.cpuUsage();
      for (let i = 0; i < timesPerRound; i++) await run();
      const { user, system } = process.cpuUsage(start);
      times.get(name)?.push((user + system) / timesPerRound);
    }
  }
  return Object.fromEntries([...times].map(([name, list]) => [name, median(list)])) as Record<Name, number>;
}

const WARM_UP_MS = 500;

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
