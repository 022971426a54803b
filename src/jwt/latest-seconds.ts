// The latest time that servers can represent.
import { isPublicKey } from '../nkeys/validate.js';

/**
 * The latest time that a server can represent: Go's largest 64-bit integer, in seconds since 1970. A JWT may have this
 * date, and only a revocation up to this time covers it. JavaScript cannot represent it: this is the next larger
 * number, and {@link withLatestSeconds} writes it as Go's maximum.
 */
export const LATEST_SECONDS = 2 ** 63;

/** How JavaScript prints {@link LATEST_SECONDS}, which exceeds Go's 64-bit integers. */
const PRINTED = JSON.stringify(LATEST_SECONDS);
/** Keys are quoted, and quotes within strings are escaped, so this matches only members. */
const REVOCATION = new RegExp(String.raw`"(U[A-Z2-7]{55}|\*)":${PRINTED}(?=[,}])`, 'g');

/** Claims as JSON, with revocations up to {@link LATEST_SECONDS} as a server reads them. */
export function withLatestSeconds(json: string): string {
  return json.includes(PRINTED) ? json.replace(REVOCATION, '"$1":9223372036854775807') : json;
}

/** Whether a member of claims is a revocation that {@link withLatestSeconds} preserves. */
export function isLatestRevocation(key: string, value: unknown): boolean {
  return value === LATEST_SECONDS && (key === '*' || isPublicKey(key, 'user'));
}
