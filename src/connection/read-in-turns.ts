// Keeps one connection that receives much from holding up everything else in the process.
import type { Socket } from 'node:net';

/** A read that fills at least half of Node.js's buffer of 64 KiB: more data is probably waiting. */
const FULL_READ_BYTES = 32 * 1024;

/**
 * Reads on in the next turn of the event loop if a read was large. Node.js reads up to 32 buffers of a busy socket in one
 * turn: a master that receives the connect events of thousands of peels would do nothing else for a second, and each
 * step of a revocation, such as reading a file, waits for a turn.
 *
 * @param bytes the size of the read that has just been handled
 */
export function readInTurns(socket: Socket | undefined, bytes: number): void {
  if (socket === undefined || bytes < FULL_READ_BYTES || socket.destroyed || socket.isPaused()) return;
  socket.pause();
  setImmediate(() => socket.resume());
}
