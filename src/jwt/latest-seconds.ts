// The latest time that servers can represent.
import { isPublicKey } from '../nkeys/validate.js';

/**
 * The latest time that a server knows: the end of Go's integers of 64 bits, in seconds since 1970. A JWT may be dated so
 * late, and only a revocation up to this time holds for it. JavaScript has no such number: this is the next one, and
 * {@link withLatestSeconds} writes it as Go's.
 */
export const LATEST_SECONDS = 2 ** 63;

/** What JavaScript makes of {@link LATEST_SECONDS}: more than Go's integers of 64 bits hold. */
const WRITTEN = JSON.stringify(LATEST_SECONDS);
/** A key is quoted, and a quote within a string is escaped, so this finds nothing but members. */
const REVOCATION = new RegExp(String.raw`"(U[A-Z2-7]{55}|\*)":${WRITTEN}(?=[,}])`, 'g');

/** Claims as JSON, with revocations up to {@link LATEST_SECONDS} as a server reads them. */
export function withLatestSeconds(json: string): string {
  return json.includes(WRITTEN) ? json.replace(REVOCATION, '"$1":9223372036854775807') : json;
}

/** Whether a member of some claims is a revocation that {@link withLatestSeconds} writes as it was. */
export function isLatestRevocation(key: string, value: unknown): boolean {
  return value === LATEST_SECONDS && (key === '*' || isPublicKey(key, 'user'));
}
