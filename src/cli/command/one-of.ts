// Checks that exactly one of several options is given.
import { UsageError } from '../../errors.js';

/** @throws UsageError with the message when none, or more than one, is given */
export function requireOneOf(given: Readonly<Record<string, unknown>>, message: string): void {
  if (Object.values(given).filter((value) => value !== undefined).length !== 1) throw new UsageError(message);
}
