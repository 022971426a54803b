// Formats CSV that a spreadsheet reads as text.

/** The first characters of a cell that a spreadsheet treats as a formula. */
const FORMULA = /^[=+\-@\t\r\n]/;

/**
 * Formats one row, without a newline. Untrusted cells may look like a formula, which a spreadsheet would execute: they
 * get a leading apostrophe.
 *
 * Source: RFC 4180; OWASP, "CSV Injection".
 */
export function csvRow(cells: readonly string[]): string {
  return cells
    .map((cell) => (FORMULA.test(cell) ? `'${cell}` : cell))
    .map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(',');
}
