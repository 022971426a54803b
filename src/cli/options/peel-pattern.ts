// Validates patterns of peel IDs.
import { holdsSeed, UsageError } from '../../errors.js';
import { PEEL_PATTERN } from '../../protocol/glob.js';

/**
 * Checks a pattern of peel IDs before any request.
 *
 * @throws UsageError when it cannot match any ID; a value with a seed is not repeated
 */
export function requirePeelPattern(pattern: string): void {
  if (holdsSeed(pattern)) throw new UsageError('the pattern of peel IDs contains a seed');
  if (PEEL_PATTERN.test(pattern)) return;
  throw new UsageError(
    `"${pattern}" is not a pattern of peel IDs: use * for any characters, ? for one character, and A-Z a-z 0-9 _ -`,
  );
}

/** The pattern itself, for the declaration of an option or an argument. @throws as {@link requirePeelPattern} */
export function peelPattern(pattern: string): string {
  requirePeelPattern(pattern);
  return pattern;
}
