// Rejects invalid connection options before anything is opened.
import type { ZesterError } from '../errors.js';
import { connectOptionsError } from '../creds/credentials-option.js';
import type { NatsOptions } from '../creds/nats-options.js';

/** The longest timer that Node.js supports, in milliseconds. A longer one fires immediately. */
const LONGEST_MS = 2 ** 31 - 1;

/** The allowed values of a number. */
export interface NumberRule {
  least: number;
  most: number;
  whole: boolean;
  unit: string;
}

/** A wait that may be zero. */
export const DURATION_MS: NumberRule = { least: 0, most: LONGEST_MS, whole: false, unit: 'milliseconds' };
/** A timeout, which must not be zero. */
export const TIMEOUT_MS: NumberRule = { ...DURATION_MS, least: 1 };
/** A count with a minimum. */
export const atLeast = (least: number, unit: string): NumberRule => ({
  least,
  most: Number.MAX_SAFE_INTEGER,
  whole: true,
  unit,
});

const CLIENT_NUMBERS = {
  timeout: TIMEOUT_MS,
  pingInterval: TIMEOUT_MS,
  maxPingOut: atLeast(1, 'pings'),
  reconnectTimeWait: DURATION_MS,
  reconnectJitter: DURATION_MS,
  reconnectJitterTLS: DURATION_MS,
} as const satisfies { [Name in keyof NatsOptions]?: NumberRule };

/** The client's own reconnect delays, which do not grow. */
const FIXED_WAITS = [
  'reconnectTimeWait',
  'reconnectJitter',
  'reconnectJitterTLS',
  'reconnectDelayHandler',
] as const;

/** Whether the client's own reconnect delays apply. */
export function hasFixedWaits(options: object): boolean {
  return fixedWaitOf(options) !== undefined;
}

function fixedWaitOf(options: object): string | undefined {
  return FIXED_WAITS.find((name) => (options as Record<string, unknown>)[name] !== undefined);
}

const RECONNECTS = 'the connection reconnects until it is closed';
const CREDENTIALS = 'give credentials, or credsPath';

/** Client options that cannot be set: another value would break the guarantees of a connection. */
const FIXED = {
  reconnect: { only: true, why: RECONNECTS },
  maxReconnectAttempts: { only: -1, why: RECONNECTS },
  ignoreAuthErrorAbort: { only: true, why: 'credentials that a server refuses may be replaced at any time' },
  inboxPrefix: { only: undefined, why: 'the credentials determine the allowed inboxes' },
  authenticator: { only: undefined, why: CREDENTIALS },
  user: { only: undefined, why: CREDENTIALS },
  pass: { only: undefined, why: CREDENTIALS },
  token: { only: undefined, why: CREDENTIALS },
} as const satisfies Record<Exclude<keyof NatsOptions, keyof ClientOptions>, { only: unknown; why: string }>;

/** The client's `connect()` options that Zester's connections also accept. */
export type ClientOptions = Omit<
  NatsOptions,
  | 'reconnect'
  | 'maxReconnectAttempts'
  | 'ignoreAuthErrorAbort'
  | 'inboxPrefix'
  | 'authenticator'
  | 'user'
  | 'pass'
  | 'token'
>;

/**
 * Checks numeric options. Omitted and undefined options are valid.
 *
 * @param error creates the error to throw
 */
export function checkNumbers(
  options: object,
  rules: Readonly<Record<string, NumberRule>>,
  error: (message: string) => ZesterError = connectOptionsError,
): void {
  for (const [name, { least, most, whole, unit }] of Object.entries(rules)) {
    const value: unknown = (options as Record<string, unknown>)[name];
    if (value === undefined) continue;
    const good = typeof value === 'number' && value >= least && value <= most;
    if (good && (!whole || Number.isSafeInteger(value))) continue;
    const shown = typeof value === 'number' ? String(value) : `a ${typeof value}`;
    throw error(`${name} is ${shown}: give ${whole ? 'whole ' : ''}${unit}, from ${least} to ${most}`);
  }
}

/**
 * Checks the client's options.
 *
 * @throws ConnectError `ERR_CONNECT_OPTIONS`
 */
export function checkClientOptions(options: object): void {
  for (const [name, { only, why }] of Object.entries(FIXED)) {
    const value: unknown = (options as Record<string, unknown>)[name];
    if (value !== undefined && value !== only) throw connectOptionsError(`${name} cannot be set: ${why}`);
  }
  checkNumbers(options, CLIENT_NUMBERS);
}

/** Zester's own options. */
export interface OwnOptions {
  rotate?: unknown;
  reconnectWindowMs?: unknown;
}

/**
 * Checks the options of `connectPeel` and `connectMaster`, except credentials, servers and TLS.
 *
 * @throws ConnectError `ERR_CONNECT_OPTIONS`
 */
export function checkConnectOptions(options: OwnOptions): void {
  checkClientOptions(options);
  checkBuffer(options, 'reconnectBufferSize');
  checkNumbers(options, { drainTimeoutMs: DURATION_MS, handoverTimeoutMs: DURATION_MS });
  checkNumbers(options, { reconnectWindowMs: TIMEOUT_MS });
  const { rotate, reconnectWindowMs } = options;
  const fixed = fixedWaitOf(options);
  if (reconnectWindowMs !== undefined && fixed !== undefined) {
    throw connectOptionsError(`reconnectWindowMs and ${fixed} cannot be combined: give one of them`);
  }
  if (rotate !== undefined && rotate !== 'reconnect' && rotate !== 'hitless') {
    throw connectOptionsError("rotate: give 'reconnect' or 'hitless'");
  }
}

/** Checks the limit of a reconnect buffer. @throws ConnectError `ERR_CONNECT_OPTIONS` */
export function checkBuffer(options: object, name: string): void {
  checkNumbers(options, { [name]: atLeast(0, 'bytes') });
}
