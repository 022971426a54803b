// Decides when a JWT becomes valid: the one place that interprets `nbf`.

/** The claims that determine when any JWT becomes valid. */
interface Starting {
  readonly nbf?: number | undefined;
}

/**
 * When a JWT becomes valid, in milliseconds since 1970; 0: it always was.
 *
 * Source: nats-server reads an `nbf` of 0 as none, since Go omits zero fields.
 */
export function startTime({ nbf = 0 }: Starting): number {
  return nbf * 1000;
}

/**
 * Whether a JWT is not valid yet: like servers, it counts as valid from the second of its `nbf` on.
 *
 * @param now milliseconds since 1970
 */
export function isNotYetValid(claims: Starting, now: number): boolean {
  return now < startTime(claims);
}
