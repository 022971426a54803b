// Writes CSV that a spreadsheet reads as text.

/** What a spreadsheet takes for a formula, at the beginning of a cell. */
const FORMULA = /^[=+\-@\t\r\n|%]/;

/**
 * One cell. What others chose may begin as a formula, which a spreadsheet would run: such a cell begins with an apostrophe.
 *
 * Source: RFC 4180; OWASP, "CSV Injection".
 */
export function csvCell(value: string): string {
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One line, with its line end. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}
