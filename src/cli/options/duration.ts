// Parses times and durations such as 24h, 7d or a date.
import { UsageError } from '../../errors.js';
import { secondsOf } from '../../text/seconds-of.js';

const ISO_DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** The values of `--expiry`, for the help. */
export const EXPIRY_FORM = '15m, 24h, 7d, 2w, or a date such as 2031-01-31 or 2031-01-31T12:00:00Z';

/**
 * Reads a lifetime: a number with a unit (`s`, `m`, `h`, `d`, `w`), or an end date.
 *
 * @param now milliseconds since 1970
 * @returns whole seconds from now, at least 1
 * @throws UsageError
 */
export function parseExpiry(text: string, now: number): number {
  const seconds = /^\d/.test(text) ? (secondsOf(text) ?? untilDate(text, now)) : undefined;
  if (seconds === undefined) throw new UsageError(`"${text}" is not a lifetime: use ${EXPIRY_FORM}`);
  if (seconds < 1) throw new UsageError(`"${text}" is in the past: use a lifetime that ends in the future`);
  return seconds;
}

/**
 * Like {@link parseExpiry}, where a credential may also live forever: `0` or `none`.
 *
 * @returns whole seconds from now; 0: it never expires
 * @throws UsageError
 */
export function parseExpiryOrNever(text: string, now: number): number {
  return text === '0' || text === 'none' ? 0 : parseExpiry(text, now);
}

/**
 * Reads the lifetime of what renews itself: a number with a unit (`s`, `m`, `h`, `d`, `w`), or `0` or `none` for never.
 *
 * @returns whole seconds; 0: it never expires
 * @throws UsageError
 */
export function parseRenewedLifetime(text: string): number {
  if (text === '0' || text === 'none') return 0;
  const seconds = secondsOf(text) ?? 0;
  if (seconds < 1)
    throw new UsageError(`"${text}" is not a lifetime: use e.g. 24h or 90d; 0 or none = never expires`);
  return seconds;
}

/** The values of an option for a past time, for the help. */
export const PAST_FORM = '2h or 7d (ago), or a date such as 2026-01-31 or 2026-01-31T12:00:00Z';

/**
 * Parses a past time: an age, or a date.
 *
 * @param now milliseconds since 1970
 * @returns milliseconds since 1970
 * @throws UsageError
 */
export function parsePast(text: string, now: number): number {
  const ago = secondsOf(text);
  const until = ago === undefined ? untilDate(text, now) : -ago;
  if (until === undefined) throw new UsageError(`"${text}" is not a time: use ${PAST_FORM}`);
  if (until > 0) throw new UsageError(`"${text}" is in the future: use a time in the past`);
  return now + until * 1000;
}

/** The values of an option for a wait, for the help. */
export const SPAN_FORM = '500ms, 2s, 10m or 1h';

/**
 * Parses a time limit.
 *
 * @param option the option's name, for the error
 * @returns milliseconds, at least 1
 * @throws UsageError
 */
export function parseSpan(option: string, text: string): number {
  const ms = /^(\d{1,9})ms$/.exec(text)?.[1];
  const span = ms === undefined ? (secondsOf(text) ?? 0) * 1000 : Number(ms);
  if (span < 1) throw new UsageError(`${option} is "${text}": use ${SPAN_FORM}`);
  return span;
}

/** A lifetime in the form that options take. @example lifetimeText(86_400); // '24h' */
export function lifetimeText(seconds: number): string {
  return `${seconds / 3_600}h`;
}

/** Whole days in the form that options take. @example daysText(86_400); // '1d' */
export function daysText(seconds: number): string {
  return `${seconds / 86_400}d`;
}

function untilDate(text: string, now: number): number | undefined {
  if (!ISO_DATE.test(text)) return undefined;
  const day = text.slice(0, 10);
  const midnight = new Date(`${day}T00:00:00Z`);
  // Date turns 31 February into 3 March: refuse days that do not exist
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== day) return undefined;
  const time = text === day ? midnight.getTime() : Date.parse(text);
  return Number.isNaN(time) ? undefined : Math.floor((time - now) / 1000);
}
