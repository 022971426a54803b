// Parses durations such as 24h or 7d.

const SECONDS_OF_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/**
 * A number with a unit (`s`, `m`, `h`, `d`, `w`) in seconds; undefined for other text.
 *
 * @example
 * secondsOf('7d'); // 604800
 */
export function secondsOf(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * (SECONDS_OF_UNIT[unit] ?? NaN);
}
