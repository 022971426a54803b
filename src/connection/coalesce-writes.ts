// Coalesces what the microtasks of one callback send into one write.
import type { Transport } from '@nats-io/nats-core/internal';
import type { Writable } from 'node:stream';

/** The part of the client's transport that is used here. */
export type WritingTransport = Pick<Transport, 'send' | 'close'> & {
  socket?: Pick<Writable, 'writableCorked' | 'cork' | 'uncork'> | undefined;
};

/**
 * Makes a transport hold what it sends until all microtasks that are due have run. The client writes after each round of
 * them: a master that has read a hundred requests at once would answer with many system calls, and wake the server as
 * often. Whatever was sent before `close()` is written before the socket is destroyed, as without this.
 */
export function coalesceWrites(transport: WritingTransport): void {
  const send = transport.send.bind(transport);
  const close = transport.close.bind(transport);
  transport.send = (frame) => {
    const { socket } = transport;
    if (socket?.writableCorked === 0) {
      socket.cork();
      // a tick that a microtask asks for runs once there are no more of them
      process.nextTick(() => {
        socket.uncork();
      });
    }
    send(frame);
  };
  transport.close = (error) => {
    transport.socket?.uncork();
    return close(error);
  };
}
