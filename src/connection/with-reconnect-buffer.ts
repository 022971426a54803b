// Adds the reconnect buffer to a connection of the client.
import type { NatsConnection } from '@nats-io/transport-node';
import { checkBuffer, checkNumbers, DURATION_MS } from './check-options.js';
import type { ZesterConnection } from './connect.js';
import { checkReconnectBufferNames, connectOptionsError, RENAMED_WAITS } from './option-names.js';
import { byPresentNames } from '../options/present-names.js';
import { ManagedConnection } from './managed-connection.js';

/** How {@link withReconnectBuffer} buffers. */
export interface ReconnectBufferOptions {
  /** Bytes kept during an outage: subjects, reply subjects, headers and payloads; 8 MiB by default. */
  maxBytes?: number | undefined;
  /** How long `drain()` waits for an outage to end, in milliseconds; 5,000 by default. */
  drainTimeoutMs?: number | undefined;
  /** @deprecated The name before it had a unit: give `drainTimeoutMs`. */
  drainTimeout?: number | undefined;
}

/**
 * Gives a connection of the client the reconnect buffer that it lacks (docs/nats-facts.md, 1): what is published while
 * it is disconnected is kept in order, up to `maxBytes`, and sent first after the reconnect. One byte more throws
 * `ReconnectBufferExceededError`, and nothing accepted is lost. Use the connection that it returns instead of the one
 * given; JetStream, KV and services work on it.
 *
 * Messages that were handed to the socket at the instant of a cut are delivered at most once, as always in NATS core: they
 * may be lost, and are not sent again. `flush()` is the way to know: when it resolves, the server has everything that
 * was published before.
 *
 * The connection's own options decide how long it reconnects; make it with `maxReconnectAttempts: -1`.
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
 * nc.publish('zester.event.web-01.started'); // kept, if the connection is down
 * console.log(nc.buffered.messages); // 0
 * await nc.drain();
 */
export function withReconnectBuffer(
  nc: NatsConnection,
  options: ReconnectBufferOptions = {},
): ZesterConnection {
  checkReconnectBufferNames(options);
  const named = byPresentNames(options, RENAMED_WAITS, connectOptionsError);
  checkBuffer(named, 'maxBytes');
  checkNumbers(named, { drainTimeoutMs: DURATION_MS });
  const { inboxPrefix } = (nc as { options?: { inboxPrefix?: string } }).options ?? {};
  return new ManagedConnection(nc, { ...named, inboxPrefix });
}
