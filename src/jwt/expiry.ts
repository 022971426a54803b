// Decides when a JWT expires: the one place that interprets `exp`.

/** The claims that determine the expiry of any JWT. */
interface Expiring {
  readonly exp?: number | undefined;
}

/**
 * When a JWT expires, in seconds since 1970; undefined: never.
 *
 * Source: nats-server reads an `exp` of 0 as none, since Go omits zero fields.
 *
 * @example expirySeconds({ exp: 0 }); // undefined
 */
export function expirySeconds({ exp }: Expiring): number | undefined {
  return exp === undefined || exp === 0 ? undefined : exp;
}

/** When a JWT expires, in milliseconds since 1970; undefined: never. */
export function expiryTime(claims: Expiring): number | undefined {
  const seconds = expirySeconds(claims);
  return seconds === undefined ? undefined : seconds * 1000;
}

/**
 * Whether a JWT has expired: like servers, it counts as expired from the second of its `exp` on.
 *
 * @param now milliseconds since 1970
 */
export function hasExpired(claims: Expiring, now: number): boolean {
  const time = expiryTime(claims);
  return time !== undefined && now >= time;
}
