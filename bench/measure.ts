import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** One thing to measure: a function, and how many times it runs in a round. */
export interface Subject {
  run: () => unknown;
  /** As many as take their share of garbage collections too. */
  timesPerRound: number;
}

/**
 * Measures subjects side by side: round by round, each in turn, so that a machine that gets slower or faster does so for
 * all of them alike. Each runs for a while before the first round, until its code is compiled, and each round begins
 * with the garbage of the one before collected: each pays for its own.
 *
 * @returns the processor time of one run of each, in microseconds: the lower quartile of the rounds, since what else the
 *   machine does only ever adds to it
 */
export async function measure<Name extends string>(
  subjects: Readonly<Record<Name, Subject>>,
  rounds: number,
): Promise<Record<Name, number>> {
  const entries = Object.entries(subjects) as [Name, Subject][];
  const times = new Map<Name, number[]>(entries.map(([name]) => [name, []]));
  for (const [, { run }] of entries) await runFor(WARM_UP_MS, run);
  for (let round = 0; round < rounds; round++) {
    for (const [name, { run, timesPerRound }] of entries) {
      collectGarbage();
      await runFor(SETTLE_MS, run);
      const start = process.cpuUsage();
      for (let i = 0; i < timesPerRound; i++) await run();
      const { user, system } = process.cpuUsage(start);
      times.get(name)?.push((user + system) / timesPerRound);
    }
  }
  const result = [...times].map(([name, list]) => [name, lowerQuartile(list)]);
  return Object.fromEntries(result) as Record<Name, number>;
}

const WARM_UP_MS = 500;
/** After a garbage collection the caches are cold and the heap is small. */
const SETTLE_MS = 20;

async function runFor(ms: number, run: () => unknown): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) await run();
}

// helper threads that wait for each other on a busy machine would be most of what is measured
setFlagsFromString('--no-parallel-scavenge');
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function lowerQuartile(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 4)] ?? NaN;
}
