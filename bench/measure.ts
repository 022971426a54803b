/** One thing to measure: a function, and how many times it runs in a round. */
export interface Subject {
  run: () => unknown;
  /** As many as take some milliseconds: less than a clock's error, more than a garbage collection's share. */
  timesPerRound: number;
}

/**
 * Measures subjects side by side: round by round, each in turn, so that a machine that gets slower or faster does so for
 * all of them alike.
 *
 * @returns the median time of one run of each, in microseconds
 */
export async function measure<Name extends string>(
  subjects: Readonly<Record<Name, Subject>>,
  rounds: number,
): Promise<Record<Name, number>> {
  const entries = Object.entries(subjects) as [Name, Subject][];
  const times = new Map<Name, number[]>(entries.map(([name]) => [name, []]));
  const warmUp = 2;
  for (let round = -warmUp; round < rounds; round++) {
    for (const [name, { run, timesPerRound }] of entries) {
      const start = process.hrtime.bigint();
      for (let i = 0; i < timesPerRound; i++) await run();
      const perRun = Number(process.hrtime.bigint() - start) / 1_000 / timesPerRound;
      if (round >= 0) times.get(name)?.push(perRun);
    }
  }
  return Object.fromEntries([...times].map(([name, list]) => [name, median(list)])) as Record<Name, number>;
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
