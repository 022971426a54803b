import { printable } from '../text/printable.js';

/** Rows in columns under a head, each as wide as it has to be. */
export function columns(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const shown = [head, ...rows.map((row) => row.map(printable))];
  const widths = head.map((_, i) => Math.max(...shown.map((row) => row[i]?.length ?? 0)));
  return shown.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** "1 peel", "2 peels". */
export function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
}
