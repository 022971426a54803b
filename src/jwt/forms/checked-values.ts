// The claim values that a nats-server validates.
//
// Source: github.com/nats-io/jwt/v2, types.go (`Subject.Validate`, `checkPermission`, `Limits.Validate`,
// `TimeRange.Validate`); nats-server, client.go (`convertAllowedConnectionTypes`).
import { isIPv4, isIPv6 } from 'node:net';
import { FormError, listOf, object, optional, text, type Form } from './form.js';

/** A string that matches a pattern. @param what its name in the message */
export function matching(what: string, pattern: RegExp): Form<string> {
  return (value) => {
    if (!pattern.test(text(value))) throw new FormError(`it is not ${what}`);
    return value as string;
  };
}

/** A subject, as servers check it in claims: dot-separated tokens without blanks. */
export const SUBJECT = /^[^ .]+(\.[^ .]+)*$/;

/** A subject for publishing. */
export const publishSubject = matching('a subject', SUBJECT);

/** A subject for subscribing, optionally followed by a queue group. */
const subscribeSubject = matching('a subject', /^[^ .]+(\.[^ .]+)*( [^ .]+(\.[^ .]+)*)?$/);

/** Whether a string is a network in CIDR notation, as Go's `net.ParseCIDR` reads it. */
export function isNetwork(network: string): boolean {
  const [, address = '', mask] = /^([^/%]*)\/(\d+)$/.exec(network) ?? [];
  return Number(mask) <= (isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1);
}

const network: Form<string> = (value) => {
  if (!isNetwork(text(value))) throw new FormError('it is not a network in CIDR notation');
  return value as string;
};

/** Go also accepts a one-digit hour, and fractions of a second. */
const timeOfDay = matching('a time of day', /^([01]?\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?$/);

/**
 * The form of a name in the IANA database: every part begins with a capital letter. Only the server knows which names
 * exist.
 */
export const TIME_ZONE = /^([A-Z][\w+-]*(\/[A-Z][\w+-]*)*)?$/;
const timeZone = matching('a time zone', TIME_ZONE);

/** Servers ignore unknown types if a known one is present. Unknown types alone admit nobody. */
const connectionTypes: Form<string[]> = (value) => {
  const types = value as string[];
  if (
    types.length > 0 &&
    !types.some((type) => /^(STANDARD|WEBSOCKET|IN_PROCESS|(LEAFNODE|MQTT)(_WS)?)$/i.test(type))
  )
    throw new FormError('servers support none of these types');
  return types;
};

const permission = (subject: Form) =>
  optional(object({ allow: optional(listOf(subject)), deny: optional(listOf(subject)) }));

/** Permissions of a user, or of all users of an account. */
export const CHECKED_PERMISSIONS: Readonly<Record<string, Form>> = {
  pub: permission(publishSubject),
  sub: permission(subscribeSubject),
};

/** Checks the values of a user's "nats" claims as servers do; their form is already checked. */
export const checkedUser = object({
  ...CHECKED_PERMISSIONS,
  src: optional(listOf(network)),
  times: optional(listOf(object({ start: timeOfDay, end: timeOfDay }))),
  times_location: optional(timeZone),
  allowed_connection_types: optional(connectionTypes),
});
