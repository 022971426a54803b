import { JwtError } from '../errors.js';

/** Reads the clock: milliseconds since 1970, as `Date.now`. Everything that reads it takes one, for tests. */
export type Clock = () => number;

/** When a token begins and ends to be valid. */
export interface ValidityOptions {
  /** Seconds from now until the token expires; absent: never. */
  expiry?: number;
  /** Seconds since 1970 before which the token is not valid. */
  notBefore?: number;
  /** The clock; `Date.now` by default. */
  now?: Clock;
}

/** The whole seconds of a clock. */
export function nowSeconds(now: Clock = Date.now): number {
  return Math.floor(now() / 1000);
}

/**
 * The time claims of a token made now.
 *
 * @throws JwtError `ERR_JWT_OPTIONS` when `expiry` is not a positive, `notBefore` not a natural number
 */
export function timeClaims(options: ValidityOptions): {
  iat: number;
  exp: number | undefined;
  nbf: number | undefined;
} {
  const { expiry, notBefore, now } = options;
  const iat = nowSeconds(now);
  if (expiry !== undefined && (!Number.isFinite(expiry) || expiry <= 0)) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      `expiry is ${expiry}: give the seconds until it expires, more than 0`,
    );
  }
  if (notBefore !== undefined && (!Number.isSafeInteger(notBefore) || notBefore < 0)) {
    throw new JwtError('ERR_JWT_OPTIONS', `notBefore is ${notBefore}: give whole seconds since 1970`);
  }
  const exp = expiry === undefined ? undefined : iat + Math.ceil(expiry);
  if (exp !== undefined && !Number.isSafeInteger(exp)) {
    throw new JwtError('ERR_JWT_OPTIONS', `expiry is ${expiry}: leave it out for a token that never expires`);
  }
  if (exp !== undefined && notBefore !== undefined && notBefore >= exp) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      'notBefore is not before the expiry: the token would never be valid',
    );
  }
  return { iat, exp, nbf: notBefore };
}
