// Coalesces what the microtasks of one callback send into one write.
import type { Transport } from '@nats-io/nats-core/internal';
import type { Writable } from 'node:stream';
import { MAX_WRITE_HOLD_MS } from '../timing.js';

/** The part of the client's transport that is used here. */
export type WritingTransport = Pick<Transport, 'send' | 'close'> & {
  socket?: Pick<Writable, 'writableCorked' | 'cork' | 'uncork'> | undefined;
};

/**
 * Makes a transport hold what it sends until all microtasks that are due have run. The client writes after each round of
 * them: a master that has read a hundred requests at once would answer with many system calls, and wake the server as
 * often. Microtasks that take long hold up little: an answer does not wait for what is done about a hundred other requests.
 * Whatever was sent before `close()` is written before the socket is destroyed, as without this.
 *
 * @param clock milliseconds since any time
 */
export function coalesceWrites(
  transport: WritingTransport,
  clock: () => number = () => performance.now(),
): void {
  const send = transport.send.bind(transport);
  const close = transport.close.bind(transport);
  /** When these microtasks first sent something, or last wrote it; undefined: nothing was sent since the last tick. */
  let since: number | undefined;
  transport.send = (frame) => {
    const { socket } = transport;
    const now = clock();
    if (since === undefined) {
      since = now;
      // a tick that a microtask asks for runs once there are no more of them
      process.nextTick(() => {
        since = undefined;
        socket?.uncork();
      });
    }
    const isLate = now - since >= MAX_WRITE_HOLD_MS;
    if (!isLate && socket?.writableCorked === 0) socket.cork();
    send(frame);
    if (!isLate) return;
    socket?.uncork();
    since = now;
  };
  transport.close = (error) => {
    transport.socket?.uncork();
    return close(error);
  };
}
