// Describes the limits of a user, as text and JSON.
import type { UserClaims, UserPermissionLimits } from '../../jwt/claims.js';

/** The limits of a user, without permissions, for `--json`: null means "no limit". */
export interface LimitDocument {
  subscriptions: number | null;
  payload: number | null;
  data: number | null;
  networks: string[];
  times: { start: string; end: string }[];
  timesLocation: string | null;
  connectionTypes: string[];
  proxyRequired: boolean;
}

/** Source: github.com/nats-io/jwt/v2, user_claims.go; to a server, an absent number is 0. */
export function limitDocument(limits: UserPermissionLimits): LimitDocument {
  const number = (value = 0) => (value < 0 ? null : value);
  return {
    subscriptions: number(limits.subs),
    payload: number(limits.payload),
    data: number(limits.data),
    networks: limits.src ?? [],
    times: (limits.times ?? []).map(({ start, end }) => ({ start, end })),
    timesLocation: (limits.times_location ?? '') === '' ? null : (limits.times_location ?? null),
    connectionTypes: limits.allowed_connection_types ?? [],
    proxyRequired: limits.proxy_required === true,
  };
}

/** The existing limits, one row each. */
export function limitRows(limits: UserPermissionLimits): (readonly [name: string, value: string[]])[] {
  const { subscriptions, payload, data, networks, times, timesLocation, connectionTypes, proxyRequired } =
    limitDocument(limits);
  const row = (name: string, ...value: string[]) => (value.length === 0 ? [] : [[name, value] as const]);
  const where = timesLocation === null ? "in the server's time zone" : `in ${timesLocation}`;
  return [
    ...row('subscriptions', ...(subscriptions === null ? [] : [`at most ${subscriptions}`])),
    ...row('payload', ...(payload === null ? [] : [`at most ${payload} bytes per message`])),
    ...row('data', ...(data === null ? [] : [`at most ${data} bytes`])),
    ...row('networks', ...networks),
    ...row('times', ...times.map(({ start, end }) => `${start} to ${end} ${where}`)),
    ...row('connects by', ...(connectionTypes.length === 0 ? [] : [connectionTypes.join(', ')])),
    ...row('proxy', ...(proxyRequired ? ['required'] : [])),
  ];
}

const KNOWN: ReadonlySet<string> = new Set([
  ...['pub', 'sub', 'resp', 'subs', 'data', 'payload', 'src', 'times', 'times_location', 'bearer_token'],
  ...['proxy_required', 'allowed_connection_types', 'tags', 'type', 'version', 'issuer_account'],
]);

/** The names of NATS claims unknown to this version: they may restrict too. */
export function unknownClaims({ nats }: UserClaims): string[] {
  return Object.keys(nats).filter((name) => !KNOWN.has(name));
}
