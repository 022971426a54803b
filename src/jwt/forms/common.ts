// The form of the claims that all JWT types share.
import type { Role } from '../../nkeys/roles.js';
import type { ClaimType } from '../claims.js';
import { MAX_CLAIM_SECONDS } from '../time.js';
import { flag, FormError, integer, listOf, number, object, optional, text, type Form } from './form.js';

/** The form of a JWT type. One constant per type, so that a program bundles only the types that it reads. */
export interface TypeOfJwt {
  type: ClaimType;
  /** The role of its subject's key. */
  subject: Role;
  /** The roles of the keys that may sign it. */
  issuers: readonly Role[];
  /** The form of all its claims. */
  form: Form;
}

const seconds: Form<number> = (value) => {
  const time = integer(value);
  if (time < 0) throw new FormError('it is a time before 1970');
  if (time > MAX_CLAIM_SECONDS) throw new FormError('it is a time after the year 9999');
  return time;
};

/** @internal Go reads null in a list of strings as an empty string. */
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

const permission = optional(object({ allow: optional(strings), deny: optional(strings) }));

export const PERMISSIONS: Readonly<Record<string, Form>> = {
  pub: permission,
  sub: permission,
  resp: optional(object({ max: optional(integer, 0), ttl: optional(integer, 0) })),
};

/** Go also accepts a list of networks as one comma-separated string. Source: jwt/v2, types.go (`CIDRList`). */
const networks: Form = (value) =>
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

/** The permissions and limits of a user, and of the template of a scoped signing key. */
export const USER_LIMITS: Readonly<Record<string, Form>> = {
  ...PERMISSIONS,
  subs: optional(integer),
  data: optional(integer),
  payload: optional(integer),
  src: optional(networks),
  times: optional(listOf(object({ start: text, end: text }))),
  times_location: optional(text),
  bearer_token: optional(flag),
  proxy_required: optional(flag),
  allowed_connection_types: optional(strings),
};
