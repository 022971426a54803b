// The option names of the connect functions, so that a misspelled one is refused, not ignored.
import type * as v from 'valibot';
import type { NatsOptions } from '../creds/nats-options.js';
import {
  anything,
  bag,
  callback,
  checkOptions,
  flag,
  oneOf,
  type Entries,
} from '../options/check-options.js';
import { connectOptionsError, type CredentialsOption } from '../creds/credentials-option.js';
import type { ConnectSettings } from './connect.js';

export { connectOptionsError };

/** The client's `connect()` options. Some cannot be set: `checkClientOptions` says why. */
export const CLIENT_ENTRIES = {
  authenticator: anything,
  debug: anything,
  maxPingOut: anything,
  maxReconnectAttempts: anything,
  name: anything,
  noEcho: anything,
  noRandomize: anything,
  pass: anything,
  pedantic: anything,
  pingInterval: anything,
  port: anything,
  reconnect: anything,
  reconnectDelayHandler: anything,
  reconnectJitter: anything,
  reconnectJitterTLS: anything,
  reconnectTimeWait: anything,
  servers: anything,
  timeout: anything,
  tls: anything,
  token: anything,
  user: anything,
  verbose: anything,
  waitOnFirstConnect: anything,
  ignoreClusterUpdates: anything,
  inboxPrefix: anything,
  ignoreAuthErrorAbort: anything,
  noAsyncTraces: anything,
  resolve: anything,
} satisfies Entries<NatsOptions>;

/** The options of `connectPeel` and `connectMaster`, except the peel ID. */
export const CONNECT_ENTRIES: Record<string, v.GenericSchema> = {
  ...CLIENT_ENTRIES,
  ...({
    requireTls: flag,
    credsPath: anything,
    credentials: anything,
    reconnectBufferSize: anything,
    watch: flag,
    rotate: oneOf(['reconnect', 'hitless']),
    drainTimeoutMs: anything,
    handoverTimeoutMs: anything,
    drainTimeout: anything,
    handoverTimeout: anything,
    logger: anything,
    signal: anything,
    onEvent: callback,
    now: callback,
  } satisfies Entries<Omit<ConnectSettings, keyof NatsOptions> & CredentialsOption>),
};

/** Former names, without a unit. */
export const RENAMED_WAITS = {
  drainTimeoutMs: 'drainTimeout',
  handoverTimeoutMs: 'handoverTimeout',
} as const;

/** Former option names, and plausible guesses. */
export const INSTEAD = {
  creds: 'give it as credentials',
  seed: 'give credentials: { seed }',
};
const CONNECT = bag(CONNECT_ENTRIES, { instead: INSTEAD });
/** The additional options of a peel's connection. */
export const PEEL_ENTRIES = { reconnectWindowMs: anything };
const CONNECT_PEEL = bag({ ...CONNECT_ENTRIES, ...PEEL_ENTRIES, peelId: anything }, { instead: INSTEAD });
const RECONNECT_BUFFER = bag({ maxBytes: anything, drainTimeoutMs: anything, drainTimeout: anything });

/** @throws ConnectError `ERR_CONNECT_OPTIONS` */
export function checkConnectNames(options: unknown): void {
  checkOptions('connectMaster', options, CONNECT, connectOptionsError);
}

/** @throws ConnectError `ERR_CONNECT_OPTIONS` */
export function checkConnectPeelNames(options: unknown): void {
  checkOptions('connectPeel', options, CONNECT_PEEL, connectOptionsError);
}

/** @throws ConnectError `ERR_CONNECT_OPTIONS` */
export function checkReconnectBufferNames(options: unknown): void {
  checkOptions('withReconnectBuffer', options, RECONNECT_BUFFER, connectOptionsError);
}
