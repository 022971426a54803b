// The finding about the expiry of a token.
import { expiryTime } from '../jwt/expiry.js';
import { isNotYetValid, startTime } from '../jwt/not-before.js';
import { isoTime } from '../jwt/time.js';
import type { Finding } from './finding.js';
import { EXPIRY_WARNING_MS } from '../timing.js';

/**
 * The finding about a token's expiry.
 *
 * @param renew how to renew it
 * @param now milliseconds since 1970
 */
export function expiryFinding(
  subject: string,
  claims: { exp?: number | undefined; nbf?: number | undefined },
  renew: string,
  now: number,
): Finding {
  const end = expiryTime(claims);
  const base = { check: 'expiry', subject };
  if (isNotYetValid(claims, now)) {
    const message = `is not valid before ${shortIso(startTime(claims) / 1000)}`;
    return { ...base, severity: 'error', message, fix: `wait until then, or check the clock, or ${renew}` };
  }
  if (end === undefined) return { ...base, severity: 'ok', message: 'never expires' };
  if (end <= now)
    return { ...base, severity: 'error', message: `expired at ${shortIso(end / 1000)}`, fix: renew };
  const message = `expires at ${shortIso(end / 1000)}`;
  if (end - now > EXPIRY_WARNING_MS) return { ...base, severity: 'ok', message };
  return { ...base, severity: 'warning', message, fix: renew };
}

function shortIso(seconds: number): string {
  return isoTime(seconds).replace('.000Z', 'Z');
}
