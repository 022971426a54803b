// Converts permission and limit options to claims, and validates them.
import { holdsSeed, JwtError } from '../errors.js';
import { anything, bag, checkOptions, flag, nullOr, type Entries } from '../options/check-options.js';
import type { Permissions, UserPermissionLimits } from './claims.js';
import { connectionTypeClaims, networkClaims, timeRangeClaims, timeZoneClaim } from './limit-values.js';
import { quoted } from '../text/quoted.js';
import { jwtOptionsError } from './options-error.js';

/**
 * Publish and subscribe permissions of a user. A server reads an absent or empty `allow` as everything that is not
 * denied, so both directions must be given, and an empty `allow` is refused: to allow everything, use `['>']`. To
 * exclude only some subjects, `deny` alone is enough; with `responses`, an absent `publish` allows only responses.
 */
export interface PermissionOptions {
  publish?: SubjectLists | undefined;
  subscribe?: SubjectLists | undefined;
  /**
   * Lets a user answer requests on any reply subject: at most `max` answers per request (-1: no limit), for
   * `ttlSeconds` (-1: no limit).
   */
  responses?: ResponseOptions | undefined;
}

/** Limits on a user's answers: `max` per request, within a time. */
export type ResponseOptions =
  | { max: number; ttlSeconds: number; ttl?: undefined }
  | {
      max: number;
      /** @deprecated The former name, without a unit: use `ttlSeconds`. */
      ttl: number;
      ttlSeconds?: undefined;
    };

/** Allowed and denied subjects. */
export interface SubjectLists {
  allow?: readonly string[] | undefined;
  deny?: readonly string[] | undefined;
}

/** Limits of one connection; absent or -1: no limit. */
export interface UserLimitOptions {
  /** Subscriptions. */
  subscriptions?: number | undefined;
  /** Bytes per message. */
  payload?: number | undefined;
  /** Total bytes. */
  data?: number | undefined;
  /** Allowed source networks, such as `10.0.0.0/8`. */
  sourceNetworks?: readonly string[] | undefined;
  /** Times of day when connections are allowed, `HH:MM:SS`. */
  times?: readonly { start: string; end: string }[] | undefined;
  /** The time zone of `times`, such as `Europe/Vienna`. */
  timesLocation?: string | undefined;
  /** The allowed connection types. */
  allowedConnectionTypes?: readonly ConnectionType[] | undefined;
  /** A bearer token: the JWT alone is enough to connect, without a signature. */
  bearer?: boolean | undefined;
}

/** A connection type. */
export type ConnectionType =
  | 'STANDARD'
  | 'WEBSOCKET'
  | 'LEAFNODE'
  | 'LEAFNODE_WS'
  | 'MQTT'
  | 'MQTT_WS'
  | 'IN_PROCESS';

/**
 * Permissions as claims. Absent permissions have no claims: the account's defaults apply to the user, and without those
 * everything is allowed.
 *
 * @throws JwtError `ERR_JWT_OPTIONS` when a direction is missing, or for an empty or malformed subject
 */
export function permissionClaims(options: PermissionOptions | undefined): Permissions {
  if (options === undefined) return {};
  checkPermissionNames(options);
  const { publish, subscribe } = options;
  const responses = options.responses ?? undefined; // an untyped program may pass null: treat it as absent
  const claims: Permissions = {};
  // to a server, responses without a publish list mean: only responses
  if (publish !== undefined || responses === undefined) claims.pub = permission(publish, 'publish');
  claims.sub = permission(subscribe, 'subscribe');
  if (responses !== undefined) {
    const ttl = responses.ttlSeconds ?? responses.ttl;
    if (responses.ttlSeconds !== undefined && responses.ttl !== undefined)
      throw new JwtError(
        'ERR_JWT_OPTIONS',
        'responses.ttlSeconds and ttl are the same option: give ttlSeconds only',
      );
    if (ttl !== -1 && !(ttl >= 0 && ttl <= MAX_TTL_SECONDS)) {
      throw new JwtError(
        'ERR_JWT_OPTIONS',
        `responses.ttlSeconds is ${ttl}: give seconds, or -1 for no limit`,
      );
    }
    claims.resp = {
      max: limitClaim(responses.max, 'responses.max'),
      ttl: ttl === -1 ? -1 : Math.round(ttl * 1e9),
    };
  }
  return claims;
}

const lists = bag({ allow: anything, deny: anything });
const PERMISSIONS = bag({
  publish: nullOr(lists),
  subscribe: nullOr(lists),
  responses: nullOr(bag({ max: anything, ttlSeconds: anything, ttl: anything })),
} satisfies Entries<PermissionOptions>);

/**
 * Refuses permissions that are not an object, or have unknown members. A restriction under a wrong name (`pub` for
 * `publish`) would be ignored, and grant more than intended.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`
 */
export function checkPermissionNames(options: PermissionOptions): void {
  checkOptions('permissions', options, PERMISSIONS, jwtOptionsError);
}

/** The options of {@link UserLimitOptions}; their values are checked on conversion to claims. */
export const USER_LIMIT_ENTRIES = {
  subscriptions: anything,
  payload: anything,
  data: anything,
  sourceNetworks: anything,
  times: anything,
  timesLocation: anything,
  allowedConnectionTypes: anything,
  bearer: flag,
} satisfies Entries<UserLimitOptions>;

/** Go stores the time as 64-bit nanoseconds; a JavaScript number is exact up to this value, 104 days. */
const MAX_TTL_SECONDS = Number.MAX_SAFE_INTEGER / 1e9;

/**
 * A limit as a claim: -1 if absent. JSON has no NaN and no Infinity, and a server would read their `null` as 0.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`
 */
export function limitClaim(limit: number | undefined, name: string): number {
  if (limit === undefined) return -1;
  if (!Number.isSafeInteger(limit) || limit < -1) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      `${name} is ${limit}: give a whole number, or omit it for no limit`,
    );
  }
  return limit;
}

/** Limits as claims, with NATS's "no limit" (-1) for absent ones: the server would read an absent limit as 0. */
export function userLimitClaims(options: UserLimitOptions): UserPermissionLimits {
  return Object.assign({ subs: -1, data: -1, payload: -1 }, namedUserLimits(options));
}

/** Like {@link userLimitClaims}, but only the given limits. */
export function namedUserLimits(options: UserLimitOptions): UserPermissionLimits {
  const { subscriptions, data, payload, bearer } = options;
  const { sourceNetworks, times, timesLocation, allowedConnectionTypes } = options;
  // no literal with spreads: see encodeUserJwt
  const claims: UserPermissionLimits = {};
  if (subscriptions !== undefined) claims.subs = limitClaim(subscriptions, 'subscriptions');
  if (data !== undefined) claims.data = limitClaim(data, 'data');
  if (payload !== undefined) claims.payload = limitClaim(payload, 'payload');
  if (sourceNetworks) claims.src = networkClaims(notEmpty(sourceNetworks, 'sourceNetworks'));
  if (times) claims.times = timeRangeClaims(notEmpty(times, 'times'));
  if (timesLocation !== undefined) claims.times_location = timeZoneClaim(timesLocation);
  if (allowedConnectionTypes) {
    claims.allowed_connection_types = connectionTypeClaims(
      notEmpty(allowedConnectionTypes, 'allowedConnectionTypes'),
    );
  }
  if (bearer === true) claims.bearer_token = true;
  return claims;
}

/** Refuses an empty list, which a server reads as "everything". */
function notEmpty<T>(list: readonly T[], name: string): readonly T[] {
  if (Array.isArray(list) && list.length > 0) return list;
  throw new JwtError(
    'ERR_JWT_OPTIONS',
    `${name} is not a list with at least one element, and servers read an empty list as "everything": omit it to allow everything`,
  );
}

function permission(
  given: SubjectLists | undefined,
  what: 'publish' | 'subscribe',
): { allow?: string[]; deny?: string[] } {
  const { allow, deny } = given ?? {};
  const named: { allow?: string[]; deny?: string[] } = {};
  if (allow !== undefined) named.allow = subjects(allow, what);
  if (deny !== undefined) named.deny = subjects(deny, what);
  if (named.allow?.length === 0 || (named.allow === undefined && (named.deny ?? []).length === 0)) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      `permissions.${what} has no subject, and servers read that as "everything": name the subjects, or give ` +
        `{ allow: ['>'] } for everything or { deny: ['>'] } for nothing`,
    );
  }
  return named;
}

/** The common case: tokens of letters, digits and a few symbols. May still be a seed. */
const PLAIN_SUBJECT = /^[\w$>*{}()-]+(?:\.[\w$>*{}()-]+)*$/;
/** An empty token, or a control character. */
const BAD_SUBJECT = /^$|^\.|\.$|\.\.|[\u0000-\u001f\u007f]/;
/** For subscribing: a subject, or a subject and a queue separated by a space. For publishing: a subject. */
const BAD_SPACES = { publish: / /, subscribe: /^ | $| .* / } as const;

function subjects(given: readonly string[], what: 'publish' | 'subscribe'): string[] {
  // a string would be iterated by its characters
  if (!Array.isArray(given)) {
    throw new JwtError('ERR_JWT_OPTIONS', `permissions.${what} must be a list of subjects`);
  }
  for (const subject of given) {
    if (typeof subject === 'string' && !holdsSeed(subject)) {
      if (PLAIN_SUBJECT.test(subject)) continue;
      if (!BAD_SUBJECT.test(subject) && !BAD_SPACES[what].test(subject)) continue;
    }
    throw new JwtError('ERR_JWT_OPTIONS', `${quoted(subject, 200)} is not a subject to ${what}`);
  }
  return [...given];
}
