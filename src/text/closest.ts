// Which of some names was probably meant.

/**
 * The name that is most like what was written, for a "did you mean": the same but for case and underscores, or a few letters
 * off.
 *
 * @returns undefined when none is alike
 * @example closest('auto-trsuted', ['manual', 'auto-trusted']); // 'auto-trusted'
 */
export function closest(written: string, names: readonly string[]): string | undefined {
  const plain = plainly(written);
  if (plain.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  let least = Math.max(1, Math.floor(plain.length / 3)) + 1;
  for (const name of names) {
    const distance = edits(plain, plainly(name));
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** Nobody mistypes a name so long, and comparing costs the product of the lengths. */
const MAX_LENGTH = 40;

function plainly(name: string): string {
  return name.toLowerCase().replace(/[_\s-]/g, '');
}

/** Letters to put in, take away, change, or swap with the next one (the optimal string alignment distance). */
function edits(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (beforeLast[j - 2] ?? 0) + 1 : Infinity;
      row.push(Math.min(change, swap, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
