// Parses amounts of bytes such as 500M or 5G.
import { UsageError } from '../../errors.js';

const UNITS: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/**
 * Reads an amount of bytes: a number with a unit (`K`, `M`, `G`, `T`, of 1,024 each).
 *
 * @param option the option's name, for the error
 * @throws UsageError
 */
export function parseBytes(option: string, text: string): number {
  const [, number, unit] = /^(\d{1,6})([KMGT])i?B?$/i.exec(text) ?? [];
  const bytes = Number(number ?? 0) * (UNITS[(unit ?? '').toUpperCase()] ?? 0);
  if (bytes < 1) throw new UsageError(`${option} is "${text}": use a size such as 500M or 5G`);
  return bytes;
}

/** An amount of bytes as a person reads it. @example bytesText(5_368_709_120); // '5G' */
export function bytesText(bytes: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, of]) => bytes >= of) ?? ['', 1];
  const amount = bytes / size;
  return `${Number.isInteger(amount) ? amount : amount.toFixed(1)}${unit}`;
}
