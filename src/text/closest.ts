// Suggests the name that was probably meant.

/**
 * The name most similar to the input, for a "did you mean": it differs in case and underscores, or by a few letters.
 *
 * @returns undefined if none is similar
 * @example closest('auto-trsuted', ['manual', 'auto-trusted']); // 'auto-trusted'
 */
export function closest(written: string, names: readonly string[]): string | undefined {
  const plain = normalized(written);
  if (plain.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  let least = Math.max(1, Math.floor(plain.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(plain, normalized(name));
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** Longer input is no misspelled name, and the cost is the product of the lengths. */
const MAX_LENGTH = 40;

function normalized(name: string): string {
  return name.toLowerCase().replace(/[_\s-]/g, '');
}

/** The optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours. */
function editDistance(a: string, b: string): number {
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
