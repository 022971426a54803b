// Formats times relative to now, such as "in 23 hours".
import { isoTime } from '../../jwt/time.js';

/** Units with the number of them from which on the next larger one is used: "in 47 hours", then "in 2 days". */
const UNITS = [
  ['second', 1_000, 120],
  ['minute', 60_000, 120],
  ['hour', 3_600_000, 48],
  ['day', 86_400_000, 730],
  ['year', 365.25 * 86_400_000, Infinity],
] as const;

/**
 * A time seen from now, in words: "in 23 hours", "3 days ago". Rounded towards now, so that it never promises more time
 * than there is.
 *
 * @param time milliseconds since 1970
 * @param now milliseconds since 1970
 */
export function timeWords(time: number, now: number): string {
  const distance = time - now;
  // a record may hold any text where a time belongs
  if (!Number.isFinite(distance)) return 'at an unknown time';
  const [unit, size] = UNITS.find(([, ms, limit]) => Math.abs(distance) < ms * limit) ?? UNITS[4];
  const count = Math.floor(Math.abs(distance) / size);
  if (count === 0) return 'now';
  // Intl.RelativeTimeFormat says the same, and takes a tenth of a command's start to load
  const words = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return distance < 0 ? `${words} ago` : `in ${words}`;
}

/** A time in words, and exactly. */
export function timeWordsAndDate(time: number, now: number): string {
  if (Number.isNaN(time)) return 'at an unknown time';
  return `${timeWords(time, now)} (${isoTime(time / 1000).replace('.000Z', 'Z')})`;
}
