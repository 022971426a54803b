import { JwtError } from '../errors.js';
import type { Permissions, UserPermissionLimits } from './claims.js';

/** What a user may publish and subscribe to. An absent `allow` allows everything that is not denied. */
export interface PermissionOptions {
  publish?: { allow?: readonly string[]; deny?: readonly string[] };
  subscribe?: { allow?: readonly string[]; deny?: readonly string[] };
  /**
   * Lets a user answer the requests it is sent, wherever the answer goes: at most `max` answers a request (-1: any
   * number), for `ttl` seconds (-1: without end).
   */
  responses?: { max: number; ttl: number };
}

/** Bounds on one connection; absent or -1: none. */
export interface UserLimitOptions {
  /** Subscriptions. */
  subscriptions?: number;
  /** Bytes a message. */
  payload?: number;
  /** Bytes in all. */
  data?: number;
  /** Networks to connect from, such as `10.0.0.0/8`. */
  sourceNetworks?: readonly string[];
  /** Times of day at which a connection is allowed, `HH:MM:SS`. */
  times?: readonly { start: string; end: string }[];
  /** The time zone of `times`, such as `Europe/Vienna`. */
  timesLocation?: string;
  /** The ways to connect. */
  allowedConnectionTypes?: readonly ConnectionType[];
  /** The token alone is enough to connect, no seed is asked for. */
  bearer?: boolean;
}

export type ConnectionType =
  | 'STANDARD'
  | 'WEBSOCKET'
  | 'LEAFNODE'
  | 'LEAFNODE_WS'
  | 'MQTT'
  | 'MQTT_WS'
  | 'IN_PROCESS';

/** Permissions as claims. @throws JwtError `ERR_JWT_OPTIONS` for an empty or malformed subject */
export function permissionClaims(options: PermissionOptions): Permissions {
  const { publish, subscribe, responses } = options;
  const claims: Permissions = {};
  if (publish !== undefined) claims.pub = permission(publish, 'publish');
  if (subscribe !== undefined) claims.sub = permission(subscribe, 'subscribe');
  if (responses !== undefined) {
    const ttl = responses.ttl === -1 ? -1 : Math.round(responses.ttl * 1e9);
    claims.resp = { max: responses.max, ttl };
  }
  return claims;
}

/** Limits as claims, with NATS's "no limit" (-1) where none is given: an absent one would mean 0 to the server. */
export function userLimitClaims(options: UserLimitOptions): UserPermissionLimits {
  const { sourceNetworks, times, timesLocation, allowedConnectionTypes, bearer } = options;
  return {
    subs: options.subscriptions ?? -1,
    data: options.data ?? -1,
    payload: options.payload ?? -1,
    ...(sourceNetworks && { src: [...sourceNetworks] }),
    ...(times && { times: times.map(({ start, end }) => ({ start, end })) }),
    ...(timesLocation !== undefined && { times_location: timesLocation }),
    ...(allowedConnectionTypes && { allowed_connection_types: [...allowedConnectionTypes] }),
    ...(bearer === true && { bearer_token: true }),
  };
}

function permission(
  given: { allow?: readonly string[]; deny?: readonly string[] },
  what: string,
): { allow?: string[]; deny?: string[] } {
  return {
    ...(given.allow && { allow: subjects(given.allow, what) }),
    ...(given.deny && { deny: subjects(given.deny, what) }),
  };
}

/** A subject, or a subject and a queue with a space between them. */
const BAD_SUBJECT = /^$|^ | $| .* |[\u0000-\u001f\u007f]/;

function subjects(given: readonly string[], what: string): string[] {
  for (const subject of given) {
    if (typeof subject !== 'string' || BAD_SUBJECT.test(subject)) {
      throw new JwtError('ERR_JWT_OPTIONS', `${JSON.stringify(subject)} is not a subject to ${what}`);
    }
  }
  return [...given];
}
