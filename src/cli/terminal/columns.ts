// Formats rows as columns that fit the terminal.
import { printable } from '../../text/printable.js';

/** Between two columns. */
const GAP = '  ';
/** No column is cut shorter than this. */
const MIN_WIDTH = 8;

/**
 * Rows in columns under a head, each as wide as its longest cell. Where that is wider than `width`, the widest columns are
 * cut, with an ellipsis; never the first one, which names the row.
 *
 * @param width characters of a line; without it, nothing is cut
 */
export function columns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string[] {
  const shown = [head, ...rows.map((row) => row.map(printable))];
  const natural = head.map((_, i) => shown.reduce((most, row) => Math.max(most, row[i]?.length ?? 0), 0));
  const widths = fit(natural, width);
  return shown.map((row) =>
    row
      .map((cell, i) => cut(cell, widths[i] ?? 0).padEnd(widths[i] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

function fit(natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1));
  while (total() > width) {
    const widest = Math.max(...widths.slice(1));
    if (widest <= MIN_WIDTH) break;
    const i = widths.indexOf(widest, 1);
    widths[i] = widest - 1;
  }
  return widths;
}

function cut(cell: string, width: number): string {
  return cell.length <= width ? cell : `${cell.slice(0, width - 1)}…`;
}

/** "1 peel", "2 peels". */
export function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
}
