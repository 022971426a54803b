// The recipients of a file that is encrypted with age.
import { UsageError } from '../../errors.js';

/** At least one. @throws UsageError */
export function ageRecipients(given: readonly string[] | undefined): readonly string[] {
  if (given !== undefined && given.length > 0) return given;
  throw new UsageError('no recipient: pass -r age1… ("age-keygen -o key.txt" makes a pair)');
}
