// Compares Zester's verdicts with a server's, and counts.
import { DIFFERENCES, type Difference } from './differences.js';
import type { Mutant } from './mutants.js';

/** The verdicts on one mutation. */
export interface Verdicts {
  mutant: Mutant;
  /** Why Zester refuses it; undefined: it does not. */
  zester: string | undefined;
  server: boolean;
}

/** The number of compared mutations of a kind, by verdict. */
export interface Count {
  mutations: number;
  accepted: number;
  equal: number;
  stricter: number;
  laxer: number;
}

export const isEqual = ({ zester, server }: Verdicts): boolean => (zester === undefined) === server;

/** The allowed difference that explains two unequal verdicts. */
export function differenceOf({ mutant, zester }: Verdicts): Difference | undefined {
  const is = zester === undefined ? 'laxer' : 'stricter';
  return DIFFERENCES.find(
    (one) =>
      one.zester === is &&
      (one.says === undefined || one.says.test(zester ?? '')) &&
      (one.done === undefined || one.done.test(mutant.what)),
  );
}

/** The counts by kind, and the unexplained differences. */
export function counted(all: readonly Verdicts[]): { counts: Map<string, Count>; unexplained: string[] } {
  const counts = new Map<string, Count>();
  const unexplained: string[] = [];
  for (const one of all) {
    for (const kind of [one.mutant.kind, 'all']) {
      const count = counts.get(kind) ?? { mutations: 0, accepted: 0, equal: 0, stricter: 0, laxer: 0 };
      counts.set(kind, count);
      count.mutations++;
      if (one.server) count.accepted++;
      count[isEqual(one) ? 'equal' : one.server ? 'stricter' : 'laxer']++;
    }
    if (isEqual(one) || differenceOf(one) !== undefined) continue;
    const server = one.server ? 'accepts' : 'refuses';
    unexplained.push(
      `${one.mutant.what}: the server ${server} it, Zester says ${one.zester ?? 'that it holds'}`,
    );
  }
  return { counts, unexplained };
}

/** The counts as a table. */
export function table(title: string, counts: ReadonlyMap<string, Count>): string {
  const line = (cells: readonly (string | number)[]) =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(14) : String(cell).padStart(10))).join(' ');
  const rows = [...counts].sort(([a], [b]) => Number(a === 'all') - Number(b === 'all'));
  return [
    title,
    line(['kind', 'mutations', 'accepted', 'equal', 'stricter', 'laxer']),
    ...rows.map(([kind, c]) => line([kind, c.mutations, c.accepted, c.equal, c.stricter, c.laxer])),
  ].join('\n');
}

/** Runs an action for each item, with limited concurrency. */
export async function forEach<T>(
  source: Iterable<T>,
  atOnce: number,
  run: (one: T) => Promise<void>,
): Promise<void> {
  const iterator = source[Symbol.iterator]();
  const worker = async () => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await run(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
