// The validity options of tokens, and their claims.
import { JwtError } from '../errors.js';
import { callback, number, type Entries } from '../options/check-options.js';
import { MAX_CLAIM_SECONDS, nowSeconds, type Clock } from './time.js';

/** The validity period of a token. */
export interface ValidityOptions {
  /** Seconds from now until the token expires; absent: never. */
  expirySeconds?: number | undefined;
  /** The same, under its shorter name; give only one of the two. */
  expiry?: number | undefined;
  /** Seconds since 1970 before which the token is not valid. */
  notBefore?: number | undefined;
  /** The clock; `Date.now` by default. */
  now?: Clock | undefined;
}

/** The options of {@link ValidityOptions}. */
export const VALIDITY_ENTRIES = {
  expirySeconds: number,
  expiry: number,
  notBefore: number,
  now: callback,
} satisfies Entries<ValidityOptions>;

const DAY = 86_400;
const YEAR = 365 * DAY;

/** @internal The error for an option given under both names. */
export function bothExpiries(): JwtError {
  return new JwtError('ERR_JWT_OPTIONS', 'expirySeconds and expiry are the same option: give one of them');
}

/**
 * The time claims of a token issued now.
 *
 * @throws JwtError `ERR_JWT_OPTIONS` when `expiry` is not a positive number, or looks like a time since 1970 (today's
 *   would be 57 years from now); when `notBefore` is not a natural number
 */
export function timeClaims(options: ValidityOptions): {
  iat: number;
  exp: number | undefined;
  nbf: number | undefined;
} {
  const { expiry = options.expirySeconds, notBefore, now } = options;
  if (options.expiry !== undefined && options.expirySeconds !== undefined) throw bothExpiries();
  const iat = nowSeconds(now);
  if (expiry !== undefined && (!Number.isFinite(expiry) || expiry <= 0)) {
    throw new JwtError('ERR_JWT_OPTIONS', `expiry is ${expiry}: give the seconds until expiry, more than 0`);
  }
  if (expiry !== undefined && expiry >= Math.max(iat - DAY, 1e9) && expiry <= iat + 10 * YEAR) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      `expiry is ${expiry}, which is a time since 1970: give the seconds from now until expiry`,
    );
  }
  if (
    notBefore !== undefined &&
    (!Number.isSafeInteger(notBefore) || notBefore < 0 || notBefore > MAX_CLAIM_SECONDS)
  ) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      `notBefore is ${notBefore}: give whole seconds since 1970, before the year 10000`,
    );
  }
  const exp = expiry === undefined ? undefined : iat + Math.ceil(expiry);
  if (exp !== undefined && exp > MAX_CLAIM_SECONDS) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      `expiry is ${expiry}, which ends after the year 9999: give seconds, not milliseconds; omit it for a token that never expires`,
    );
  }
  if (exp !== undefined && notBefore !== undefined && notBefore >= exp) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      'notBefore is not before the expiry: the token would never be valid',
    );
  }
  return { iat, exp, nbf: notBefore };
}
