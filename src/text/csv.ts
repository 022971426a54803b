// Writes CSV that a spreadsheet reads as text.

/** What a spreadsheet takes for a formula, at the beginning of a cell. */
const FORMULA = /^[=+\-@\t\r\n]/;

/**
 * One row, without its line end. What others chose may begin as a formula, which a spreadsheet would run: such a cell begins
 * with an apostrophe.
 *
 * Source: RFC 4180; OWASP, "CSV Injection".
 */
export function csvRow(cells: readonly string[]): string {
  return cells
    .map((cell) => (FORMULA.test(cell) ? `'${cell}` : cell))
    .map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(',');
}
