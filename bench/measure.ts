import { setFlagsFromString } from 'node:v8';

/** One thing to measure: a function, and how many times it runs in a round. */
export interface Subject {
  run: () => unknown;
  /** As many as take some milliseconds. */
  timesPerRound: number;
}

/** What was measured, of each subject. */
export interface Measured<Name extends string> {
  /** The processor time of one run, in microseconds: the median of the rounds. */
  times: Record<Name, number>;
  /** How many times the time of `over` the time of `name` is: the median of the rounds, each compared with itself. */
  ratio(name: Name, over: Name): number;
}

/**
 * Measures subjects side by side: round by round, each in turn, in rounds that are short, so that a machine that gets
 * slower or faster does so for all of them alike. Each runs for a while before the first round, until its code is
 * compiled. What makes much more garbage than the others belongs in a call of its own.
 */
export async function measure<Name extends string>(
  subjects: Readonly<Record<Name, Subject>>,
  rounds: number,
): Promise<Measured<Name>> {
  const entries = Object.entries(subjects) as [Name, Subject][];
  const times = Object.fromEntries(entries.map(([name]) => [name, [] as number[]])) as Record<Name, number[]>;
  for (const [, { run }] of entries) {
    const end = performance.now() + WARM_UP_MS;
    while (performance.now() < end) await run();
  }
  for (let round = 0; round < rounds; round++) {
    for (const [name, { run, timesPerRound }] of entries) {
      const start = process.cpuUsage();
      for (let i = 0; i < timesPerRound; i++) await run();
      const { user, system } = process.cpuUsage(start);
      times[name].push((user + system) / timesPerRound);
    }
  }
  return {
    times: Object.fromEntries(entries.map(([name]) => [name, median(times[name])])) as Record<Name, number>,
    ratio: (name, over) => median(times[name].map((time, round) => time / (times[over][round] ?? NaN))),
  };
}

const WARM_UP_MS = 500;

// helper threads that wait for each other on a busy machine would be most of what is measured
setFlagsFromString('--no-parallel-scavenge');

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
