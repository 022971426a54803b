// Formats times, short enough for a table.

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/**
 * A relative time: "in 3 h", "2 d ago", "now".
 *
 * @param now milliseconds since 1970
 */
export function timeWords(iso: string | null, now: number): string {
  const at = iso === null ? NaN : Date.parse(iso);
  if (Number.isNaN(at)) return '–';
  const seconds = Math.round((at - now) / 1000);
  const amount = Math.abs(seconds);
  if (amount < 2) return 'now';
  const [length, name] = UNITS.find(([unit]) => amount >= unit) ?? [1, 's'];
  const words = `${Math.floor(amount / length)} ${name}`;
  return seconds > 0 ? `in ${words}` : `${words} ago`;
}

/** A duration in the largest unit that divides it: "24 h", "30 d", "90 min". */
export function durationWords(seconds: number): string {
  const [length, name] = UNITS.find(([unit]) => seconds >= 2 * unit && seconds % unit === 0) ?? [1, 's'];
  return `${seconds / length} ${name}`;
}

/** The date and time in the browser's time zone. */
export function fullTime(iso: string | null): string {
  const at = iso === null ? NaN : Date.parse(iso);
  return Number.isNaN(at) ? '' : new Date(at).toLocaleString();
}
