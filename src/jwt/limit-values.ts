// Checks a user's networks, times, time zone and connection types as nats-server reads them.
// A value that the server cannot parse would lock the user out, so it is refused before signing.
//
// Source: github.com/nats-io/jwt/v2, claims.go (`Limits.Validate`, `TimeRange.Validate`); nats-server, auth.go
// (`validateSrc`, `validateTimes`, `convertAllowedConnectionTypes`).
import { closest } from '../text/closest.js';
import { isNetwork, TIME_ZONE } from './forms/checked-values.js';
import { quoted } from '../text/quoted.js';
import { jwtOptionsError } from './options-error.js';

/** The connection types that servers support. */
export const CONNECTION_TYPES = [
  'STANDARD',
  'WEBSOCKET',
  'LEAFNODE',
  'LEAFNODE_WS',
  'MQTT',
  'MQTT_WS',
  'IN_PROCESS',
] as const;

/**
 * Networks as claims: trimmed and deduplicated.
 *
 * @throws JwtError `ERR_JWT_OPTIONS` for a value that is not in CIDR notation
 * @example networkClaims(['10.0.0.0/8', '2001:db8::/32']);
 */
export function networkClaims(networks: readonly string[]): string[] {
  return [...new Set(networks.map(networkClaim))];
}

function networkClaim(network: string): string {
  const trimmed = typeof network === 'string' ? network.trim().toLowerCase() : '';
  if (isNetwork(trimmed)) return trimmed;
  throw jwtOptionsError(
    `sourceNetworks: ${quoted(network)} is not a network, so servers would admit nobody: give an address and a mask, ` +
      `such as 10.0.0.0/8, 192.0.2.7/32 or 2001:db8::/32`,
  );
}

const TIME_OF_DAY = /^([01]?\d|2[0-3]):[0-5]\d:[0-5]\d$/;

/** @throws JwtError `ERR_JWT_OPTIONS` for an invalid time of day */
export function timeRangeClaims(
  times: readonly { start: string; end: string }[],
): { start: string; end: string }[] {
  return times.map((range: { start?: unknown; end?: unknown } | null) => {
    const { start, end } = range ?? {};
    return { start: timeOfDay(start), end: timeOfDay(end) };
  });
}

function timeOfDay(time: unknown): string {
  if (typeof time === 'string' && TIME_OF_DAY.test(time)) return time;
  throw jwtOptionsError(
    `times: ${time === undefined ? 'a missing one' : quoted(time)} is not a time of day, so servers would admit nobody: give start and end as ` +
      'HH:MM:SS, from 00:00:00 to 23:59:59',
  );
}

/**
 * Checks for a time zone of the IANA database, in its exact spelling: servers look it up by file name.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`
 */
export function timeZoneClaim(zone: string): string {
  if (typeof zone === 'string' && isTimeZone(zone)) return zone;
  const meant = typeof zone === 'string' ? canonical(zone) : undefined;
  throw jwtOptionsError(
    `timesLocation: ${quoted(zone)} is not a time zone, so servers would admit nobody` +
      (meant === undefined
        ? ': give one such as Europe/Vienna or UTC'
        : `; did you mean ${JSON.stringify(meant)}?`),
  );
}

function isTimeZone(zone: string): boolean {
  if (zone === 'UTC' || zone === 'Local') return true;
  const known = zone !== '' && TIME_ZONE.test(zone) ? canonical(zone) : undefined;
  // an alias resolves to another name; a name that differs only in case is misspelled
  return known !== undefined && (known === zone || known.toLowerCase() !== zone.toLowerCase());
}

function canonical(zone: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** @throws JwtError `ERR_JWT_OPTIONS` for an unknown type */
export function connectionTypeClaims(types: readonly string[]): string[] {
  const known: readonly string[] = CONNECTION_TYPES;
  const unknown = types.find((type) => !known.includes(type));
  if (unknown === undefined) return [...new Set(types)];
  const meant = typeof unknown === 'string' ? closest(unknown, known) : undefined;
  throw jwtOptionsError(
    `allowedConnectionTypes: servers do not support ${quoted(unknown)}` +
      (meant === undefined
        ? `; they support ${known.join(', ')}`
        : `; did you mean ${JSON.stringify(meant)}?`),
  );
}
