// The form of the claims that JWTs of several types have.
import type { Role } from '../../nkeys/roles.js';
import type { ClaimType } from '../claims.js';
import { MAX_CLAIM_SECONDS } from '../time.js';
import {
  connectionTypes,
  network,
  publishSubject,
  subscribeSubject,
  timeOfDay,
  timeZone,
} from './checked-values.js';
import { flag, FormError, integer, listOf, number, object, optional, text, type Form } from './form.js';

/** What a JWT of one type looks like. One constant a type, so that a program bundles only the types that it reads. */
export interface TypeOfJwt {
  type: ClaimType;
  /** The role of the key that it is about. */
  subject: Role;
  /** The roles of the keys that may sign it. */
  issuers: readonly Role[];
  /** The form of all of its claims. */
  form: Form;
}

const seconds: Form<number> = (value) => {
  const time = integer(value);
  if (time < 0) throw new FormError('it is a negative time');
  if (time > MAX_CLAIM_SECONDS) throw new FormError('it is a time after the year 9999');
  return time;
};

/** @internal Go reads null in a list of texts as an empty one. */
export const strings = listOf((item) => text(item ?? ''));

/** The claims outside "nats". */
export const COMMON: Readonly<Record<string, Form>> = {
  jti: optional(text),
  iat: optional(seconds, 0),
  iss: text,
  sub: text,
  name: optional(text),
  aud: optional(text),
  exp: optional(seconds),
  nbf: optional(seconds),
};

/** The claims inside "nats" of each type. */
export const NATS: Readonly<Record<string, Form>> = { type: text, version: number, tags: optional(strings) };

const permission = (subject: Form) =>
  optional(object({ allow: optional(listOf(subject)), deny: optional(listOf(subject)) }));
const emptyForNull =
  (form: Form): Form =>
  (value) =>
    form(value ?? '');

const responses = optional(object({ max: optional(integer, 0), ttl: optional(integer, 0) }));

/** Permissions of a user, or of all users of an account, whose subjects servers check. */
export const PERMISSIONS: Readonly<Record<string, Form>> = {
  pub: permission(emptyForNull(publishSubject)),
  sub: permission(emptyForNull(subscribeSubject)),
  resp: responses,
};

/** Go takes a list of networks also as one string, with commas. Source: jwt/v2, types.go (`CIDRList`). */
const networks: Form<string[]> = (value) =>
  typeof value !== 'string'
    ? strings(value)
    : [
        ...new Set(
          value
            .toLowerCase()
            .split(',')
            .map((network) => network.trim())
            .filter((network) => network !== ''),
        ),
      ];

const LIMITS: Readonly<Record<string, Form>> = {
  subs: optional(integer),
  data: optional(integer),
  payload: optional(integer),
  bearer_token: optional(flag),
  proxy_required: optional(flag),
};

/** The permissions and limits of a user, whose values servers check when it connects. */
export const USER_LIMITS: Readonly<Record<string, Form>> = {
  ...PERMISSIONS,
  ...LIMITS,
  src: optional((value) => listOf(network)(networks(value))),
  times: optional(listOf(object({ start: timeOfDay, end: timeOfDay }))),
  times_location: optional(timeZone),
  allowed_connection_types: optional((value) => connectionTypes(strings(value))),
};

const unchecked = permission(emptyForNull(text));

/** Those in the template of a scoped signing key, whose values servers do not check before a user connects. */
export const TEMPLATE_LIMITS: Readonly<Record<string, Form>> = {
  ...LIMITS,
  pub: unchecked,
  sub: unchecked,
  resp: responses,
  src: optional(networks),
  times: optional(listOf(object({ start: text, end: text }))),
  times_location: optional(text),
  allowed_connection_types: optional(strings),
};
