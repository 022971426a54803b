// The diagnostics channels of connections, rotations and renewals.
import { channel, type Channel } from 'node:diagnostics_channel';
import type { ConnectionEvent } from './events.js';

/**
 * The names of the `node:diagnostics_channel` channels that Zester publishes on, and their messages: {@link
 * ConnectionMessage}, {@link RotationMessage}, {@link RenewalMessage}. They serve tracing and metrics of a whole
 * process, whichever part of it opened the connection. No message contains a seed. As on any channel, a subscriber
 * that throws causes an uncaught exception.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 * import { DIAGNOSTICS_CHANNELS, type RotationMessage } from 'zester';
 *
 * subscribe(DIAGNOSTICS_CHANNELS.rotation, (message) => {
 *   const { peelId, durationMs } = message as RotationMessage;
 *   console.log(peelId, durationMs);
 * });
 */
export const DIAGNOSTICS_CHANNELS = {
  connection: 'zester:connection',
  rotation: 'zester:rotation',
  renewal: 'zester:renewal',
} as const;

/** Identifies the connection. */
export interface DiagnosedConnection {
  /** The option `name` of the connection. */
  name?: string;
  /** Set for a peel's connection. */
  peelId?: string;
}

/** On `zester:connection`: each event of each connection. */
export interface ConnectionMessage extends DiagnosedConnection {
  event: ConnectionEvent;
}

/** On `zester:rotation`: a connection has switched to another credential, or an attempt failed and will be retried. */
export interface RotationMessage extends DiagnosedConnection {
  /** By a reconnect, or by moving to a second connection. */
  how: 'reconnect' | 'hitless';
  /** The public key of the new credential. */
  publicKey: string;
  /** The time until the connection used the new credential, or until the failure. */
  durationMs: number;
  /** Why the attempt failed. */
  error?: Error;
}

/**
 * On `zester:renewal`: a master has issued a JWT to a peel, for the same key or a new one; or an attempt failed and
 * will be retried.
 */
export interface RenewalMessage {
  peelId: string;
  what: 'renewal' | 'rotation';
  /** The time until the answer. */
  durationMs: number;
  /** The public key of the new credential. */
  publicKey?: string;
  /** Milliseconds since 1970; undefined: it never expires. */
  expiresAt?: number | undefined;
  /** Why the attempt failed. */
  error?: Error;
}

const channels = {
  connection: channel(DIAGNOSTICS_CHANNELS.connection),
  rotation: channel(DIAGNOSTICS_CHANNELS.rotation),
  renewal: channel(DIAGNOSTICS_CHANNELS.renewal),
} satisfies Record<keyof typeof DIAGNOSTICS_CHANNELS, Channel>;

/** Publishes a message. Almost free without subscribers. */
export function diagnose(which: 'connection', message: ConnectionMessage): void;
export function diagnose(which: 'rotation', message: RotationMessage): void;
export function diagnose(which: 'renewal', message: RenewalMessage): void;
export function diagnose(which: keyof typeof channels, message: object): void {
  if (channels[which].hasSubscribers) channels[which].publish(message);
}
