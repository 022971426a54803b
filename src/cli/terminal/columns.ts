// Formats rows as columns that fit the terminal.
import { printable } from '../../text/printable.js';

/** The column separator. */
const GAP = '  ';
/** The minimum width of a truncated column. */
const MIN_WIDTH = 8;

/** The width of a terminal in characters. One that was given no size, as in some containers, says 0. */
export function widthOf({ columns: width = 0 }: { columns?: number | undefined }, otherwise = 80): number {
  return width > 0 ? width : otherwise;
}

/** A column: its heading, and its cell for an item. */
export type Column<T> = readonly [heading: string, cell: (item: T) => string];

/**
 * Formats items as rows under headings, each column as wide as its longest cell. If that exceeds `width`, the widest
 * columns are truncated with an ellipsis, but never the first one, which names the row.
 *
 * @param width of a line, in characters; without it, nothing is truncated
 * @example columns(peels, [['ID', ({ id }) => id], ['STATE', ({ state }) => state]], 80);
 */
export function columns<T>(
  items: readonly T[],
  shape: readonly Column<NoInfer<T>>[],
  width = Infinity,
): string[] {
  const rows = items.map((item) => shape.map(([, cell]) => printable(cell(item))));
  const shown = [shape.map(([heading]) => heading), ...rows];
  const natural = shape.map((_, i) => shown.reduce((most, row) => Math.max(most, row[i]?.length ?? 0), 0));
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

/** A text that fits a width; an ellipsis stands for what was cut off. Half of a character is never left. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  return `${text.slice(0, Math.max(0, width - 1)).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** "1 peel", "2 peels". */
export function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
}
