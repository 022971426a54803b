// Adds the reconnect buffer to a connection of the client.
import type { NatsConnection } from '@nats-io/transport-node';
import { checkBuffer, checkNumbers, DURATION_MS } from './check-options.js';
import type { ZesterConnection } from './connect.js';
import { checkReconnectBufferNames, connectOptionsError, RENAMED_WAITS } from './option-names.js';
import { withCurrentNames } from '../options/renamed-options.js';
import { ManagedConnection } from './managed-connection.js';

/** The options of {@link withReconnectBuffer}. */
export interface ReconnectBufferOptions {
  /** Bytes buffered during an outage: subjects, reply subjects, headers and payloads; 8 MiB by default. */
  maxBytes?: number | undefined;
  /** How long `drain()` waits for the end of an outage, in milliseconds; 5,000 by default. */
  drainTimeoutMs?: number | undefined;
  /** @deprecated The former name, without a unit: use `drainTimeoutMs`. */
  drainTimeout?: number | undefined;
}

/**
 * Adds the reconnect buffer that the client lacks (docs/nats-facts.md, 1) to a client connection: messages published
 * while disconnected are buffered in order, up to `maxBytes`, and sent first after the reconnect. Beyond the limit,
 * publishing throws `ReconnectBufferExceededError`; accepted messages are kept. Use the returned connection instead of
 * the given one; JetStream, KV and services work on it.
 *
 * Messages in flight when a connection is cut are delivered at most once, as always in NATS core: they may be lost,
 * and are not resent. Use `flush()` to be sure: when it resolves, the server has everything published before.
 *
 * The connection's own options limit its reconnects; create it with `maxReconnectAttempts: -1`.
 *
 * @param nc a connected connection
 * @throws ConnectError `ERR_CONNECT_OPTIONS`
 * @example
 * import { connect } from '@nats-io/transport-node';
 * import { natsOptionsForPeel, withReconnectBuffer } from 'zester';
 *
 * const connected = await connect({
 *   servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
 *   ...natsOptionsForPeel('web-01.creds', 'web-01'),
 * });
 * const nc = withReconnectBuffer(connected, { maxBytes: 1024 * 1024 });
 * nc.publish('zester.event.web-01.started'); // buffered, if the connection is down
 * console.log(nc.buffered.messages); // 0
 * await nc.drain();
 */
export function withReconnectBuffer(
  nc: NatsConnection,
  options: ReconnectBufferOptions = {},
): ZesterConnection {
  checkReconnectBufferNames(options);
  const named = withCurrentNames(options, RENAMED_WAITS, connectOptionsError);
  checkBuffer(named, 'maxBytes');
  checkNumbers(named, { drainTimeoutMs: DURATION_MS });
  const { inboxPrefix } = (nc as { options?: { inboxPrefix?: string } }).options ?? {};
  return new ManagedConnection(nc, { ...named, inboxPrefix });
}
