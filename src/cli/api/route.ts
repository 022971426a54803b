// Declares a route of the HTTP interface, including its checks and its OpenAPI description.
import type * as v from 'valibot';
import type { Fleet } from '../../fleet-client/fleet.js';
import type { AdminRole } from '../../permissions/admin-roles.js';
import type { TrustDomain } from '../../trust/domain.js';
import type { Finding } from '../../trust/finding.js';
import type { JoinToken } from '../../protocol/records/join-token.js';
import type { Caller } from './caller.js';
import type { LiveFleet } from './live-fleet.js';

/** The dependencies of the routes. */
export interface ApiContext {
  fleet: Fleet;
  live: LiveFleet;
  /** Milliseconds since 1970. */
  now: () => number;
  version: string;
  /** The home; absent: the interface runs with only a credential. */
  home?: {
    open: () => Promise<TrustDomain>;
    doctor: () => Promise<(Finding & { part: string })[]>;
  };
  /** Writes the credentials of a join token on this machine. @returns the path */
  writeToken: (token: JoinToken, creds: Uint8Array) => Promise<string>;
}

/** A request that passed all checks. */
export interface ApiRequest<Q, B> {
  /** The value of the path parameter. */
  id: string;
  query: Q;
  body: B;
  caller: Caller;
  /** Aborted when the caller disconnects. */
  signal: AbortSignal;
}

/** A route of any type. */
export interface AnyRoute {
  method: 'GET' | 'POST' | 'DELETE';
  /** Such as `/peels/{id}`, below `/api/v1`. */
  path: string;
  summary: string;
  /** The lowest role that may use it. */
  role: AdminRole;
  query?: v.GenericSchema | undefined;
  body?: v.GenericSchema | undefined;
  answer: v.GenericSchema;
  run: (context: ApiContext, request: ApiRequest<never, never>) => Promise<object>;
}

type Output<S> = S extends v.GenericSchema ? v.InferOutput<S> : undefined;

/** Declares a route with schemas of its query, body and answer. */
export function route<
  Q extends v.GenericSchema | undefined = undefined,
  B extends v.GenericSchema | undefined = undefined,
>(declared: {
  method: AnyRoute['method'];
  path: string;
  summary: string;
  role: AdminRole;
  query?: Q;
  body?: B;
  /** The schema of `run`'s result, which a test checks instead of each request. */
  answer: v.GenericSchema;
  run: (context: ApiContext, request: ApiRequest<Output<Q>, Output<B>>) => Promise<object>;
}): AnyRoute {
  return declared as AnyRoute;
}
