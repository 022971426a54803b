// The values of claims that a nats-server checks, and refuses a JWT for.
//
// Source: github.com/nats-io/jwt/v2, types.go (`Subject.Validate`, `checkPermission`, `Limits.Validate`, `TimeRange.Validate`);
// nats-server, client.go (`convertAllowedConnectionTypes`).
import { isIPv4, isIPv6 } from 'node:net';

import { withArticle, type KeyKind } from '../../nkeys/roles.js';
import { isPublicKey } from '../../nkeys/validate.js';
import { FormError, text, type Form } from './form.js';

/** The kinds of connection that servers know. */
export const CONNECTION_TYPES = [
  'STANDARD',
  'WEBSOCKET',
  'LEAFNODE',
  'LEAFNODE_WS',
  'MQTT',
  'MQTT_WS',
  'IN_PROCESS',
] as const;

/** A text that is right. @param what what it is then, for the message */
export function checkedText(what: string, isRight: (value: string) => boolean): Form<string> {
  return (value) => {
    if (!isRight(text(value))) throw new FormError(`it is not ${what}`);
    return value as string;
  };
}

/** The text of a public key of this role. */
export function keyOf(kind: KeyKind): Form<string> {
  return checkedText(`${withArticle(kind)}'s public key`, (key) => isPublicKey(key, kind));
}

/** Whether a text is a subject, as servers check it in claims. */
export function isSubject(subject: string): boolean {
  return subject !== '' && !/^\.|\.\.|\.$| /.test(subject);
}

/** A subject to publish on. */
export const publishSubject = checkedText('a subject', isSubject);

/** A subject to subscribe to, which a queue group may follow. */
export const subscribeSubject = checkedText('a subject, or a subject and a queue group', (value) => {
  const [subject = '', group, ...more] = value.split(' ');
  return isSubject(subject) && (group === undefined || isSubject(group)) && more.length === 0;
});

/** Whether a text is a network with its mask, as Go's `net.ParseCIDR` reads it. */
export function isNetwork(network: string): boolean {
  const [, address = '', mask = ''] = /^([^/]*)\/(\d+)$/.exec(network) ?? [];
  const bits = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : -1;
  return mask !== '' && Number(mask) <= bits;
}

export const network = checkedText('a network with its mask', isNetwork);

/** Go also takes one digit for the hour, and parts of a second. */
const TIME_OF_DAY = /^([01]?\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?$/;

export const timeOfDay = checkedText('a time of day, as HH:MM:SS', (time) => TIME_OF_DAY.test(time));

/** Every part of a name begins with a capital letter; an offset such as `+01:00` is not a name. */
const ZONE = /^[A-Z][\w+-]*(\/[A-Z][\w+-]*)*$/;

/** The name that a time zone has in the IANA database today; undefined: it has none of this name, in any case. */
export function canonicalTimeZone(zone: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** Whether a text is a time zone of the IANA database, in its own spelling: servers find it by the name of a file. */
export function isTimeZone(zone: string): boolean {
  if (zone === 'UTC' || zone === 'Local') return true;
  const known = ZONE.test(zone) ? canonicalTimeZone(zone) : undefined;
  // one that is an alias has another name; one that differs in case only is misspelled
  return known !== undefined && (known === zone || known.toLowerCase() !== zone.toLowerCase());
}

export const timeZone = checkedText('a time zone', (zone) => zone === '' || isTimeZone(zone));

/** Types that a server does not know do not matter to it beside one that it knows. By themselves, they admit nobody. */
export const connectionTypes: Form<string[]> = (value) => {
  const known: readonly string[] = CONNECTION_TYPES;
  const types = value as string[];
  if (types.length > 0 && !types.some((type) => known.includes(type.toUpperCase())))
    throw new FormError('servers know none of these types of connection');
  return types;
};
