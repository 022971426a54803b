/** What a round of a subject took, for each thing that it made. */
export interface Round {
  wallUs: number;
  /** Processor time of all threads, the system's work for them too. */
  cpuUs: number;
}

/**
 * Runs subjects in turn, in short rounds, so that a machine that gets slower or faster does so for all of them alike. The
 * order turns round each time. The first rounds, in which code is compiled and threads start, are not counted.
 */
export async function inTurns<Name extends string>(
  subjects: Readonly<Record<Name, (count: number) => Promise<unknown>>>,
  rounds: number,
  count: number,
): Promise<Record<Name, Round[]>> {
  const entries = Object.entries(subjects) as [Name, (count: number) => Promise<unknown>][];
  const taken = Object.fromEntries(entries.map(([name]) => [name, [] as Round[]])) as Record<Name, Round[]>;
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [name, run] of entries) {
      const start = performance.now();
      const cpu = process.cpuUsage();
      await run(count);
      const { user, system } = process.cpuUsage(cpu);
      const wallUs = ((performance.now() - start) * 1_000) / count;
      if (round >= 0) taken[name].push({ wallUs, cpuUs: (user + system) / count });
    }
    entries.reverse();
  }
  return taken;
}

const WARM_UP = 2;

/** The middle one. */
export function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** The median of the ratios of each round with itself. */
export function ratioOf(of: readonly Round[], over: readonly Round[], by: keyof Round = 'wallUs'): number {
  return median(of.map((round, i) => round[by] / (over[i]?.[by] ?? NaN)));
}

/** Prints the medians of the subjects. */
export function printRounds(rounds: Readonly<Record<string, readonly Round[]>>): void {
  const width = Math.max(...Object.keys(rounds).map((name) => name.length));
  for (const [name, list] of Object.entries(rounds)) {
    const rate = 1e6 / median(list.map(({ wallUs }) => wallUs));
    const cpu = median(list.map(({ cpuUs }) => cpuUs));
    console.log(
      `  ${name.padEnd(width)}  ${rate.toFixed(0).padStart(6)} a second, ${cpu.toFixed(0).padStart(4)} us of processor time each`,
    );
  }
}
