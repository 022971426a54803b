// Formats times relative to now, such as "in 23 hours".
import { isoTime } from '../../jwt/time.js';

/** Units, and the number at which the next larger one is used: "in 47 hours", then "in 2 days". */
const UNITS = [
  ['second', 1_000, 120],
  ['minute', 60_000, 120],
  ['hour', 3_600_000, 48],
  ['day', 86_400_000, 730],
  ['year', 365.25 * 86_400_000, Infinity],
] as const;

/**
 * A time relative to now: "in 23 hours", "3 days ago". Rounded towards now, so that it never overstates the remaining
 * time.
 *
 * @param time milliseconds since 1970
 * @param now milliseconds since 1970
 */
export function timeWords(time: number, now: number): string {
  const distance = time - now;
  // a record may contain any text instead of a time
  if (!Number.isFinite(distance)) return 'at an unknown time';
  const [unit, size] = UNITS.find(([, ms, limit]) => Math.abs(distance) < ms * limit) ?? UNITS[4];
  const count = Math.floor(Math.abs(distance) / size);
  if (count === 0) return 'now';
  // Intl.RelativeTimeFormat does the same, but loading it takes a tenth of a command's startup
  const words = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return distance < 0 ? `${words} ago` : `in ${words}`;
}

/** A relative time, and the exact one. */
export function timeWordsAndDate(time: number, now: number): string {
  if (Number.isNaN(time)) return 'at an unknown time';
  return `${timeWords(time, now)} (${isoTime(time / 1000).replace('.000Z', 'Z')})`;
}
