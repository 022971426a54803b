// Formats the time of a revocation.
import { PERMANENT } from '../../jwt/revoke-up-to.js';
import { isoTime } from '../../jwt/time.js';

/** The time of a revocation as ISO 8601; undefined: it is permanent. @param seconds since 1970 */
export function issuedUpTo(seconds: number): string | undefined {
  return seconds >= PERMANENT ? undefined : isoTime(seconds);
}
