// Reads what a server sends within bounds, whatever it is.
import type { ProtocolHandler } from '@nats-io/nats-core/internal';
import type { Socket } from 'node:net';
import { UNEXPECTED_RESPONSE } from './connect-failure.js';
import { MAX_LINE_BYTES, readServerInfo } from './server-info.js';

/** The largest message that a server can be configured to accept, in bytes (nats-server, `MAX_PAYLOAD_MAX_SIZE`). */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const INFO = Buffer.from('INFO ');
const LINE_END = Buffer.from('\r\n');

/** The client's transport, as far as reading the first line goes. */
export interface PeekedTransport {
  socket: Socket;
  /** What was read, and is still to be parsed. */
  yields: Uint8Array[];
}

/**
 * Reads the first line of a server, which must be INFO. In place of the client's own, which puts all that came together
 * again for each piece that comes, without an end.
 *
 * @throws Error with the client's own words for what is no server, as soon as it is none; the socket's
 */
export function peekInfo({ socket, yields }: PeekedTransport): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    let start: Buffer = Buffer.alloc(0);
    socket.on('data', (frame: Buffer) => {
      yields.push(frame);
      start = Buffer.concat([start, frame]);
      try {
        const json = infoIn(start);
        if (json === undefined) return;
        resolve(readServerInfo(json));
      } catch (error) {
        reject(error as Error);
      }
      socket.removeAllListeners();
    });
    socket.on('error', (error) => (failure = error));
    socket.on('close', () => {
      socket.removeAllListeners();
      reject(failure as Error); // without one the client's callers say that it was closed
    });
  });
}

/** The JSON of the INFO line that this begins with; undefined: more is to come. @throws Error when there will be none */
function infoIn(start: Buffer): string | undefined {
  const end = start.indexOf(LINE_END);
  const begins = start.subarray(0, INFO.length);
  const isInfo = INFO.subarray(0, begins.length).equals(begins);
  if (!isInfo || (end < 0 && start.length > MAX_LINE_BYTES)) throw new Error(UNEXPECTED_RESPONSE);
  return end < 0 ? undefined : start.subarray(INFO.length, end).toString();
}

/**
 * Has a parser of the client call `unreadable` for what it cannot read and for what is too long, instead of throwing: the
 * client prints such an error as it is to standard output, and does not read from the connection again.
 */
export function boundParser(parser: ProtocolHandler['parser'], unreadable: (error: Error) => void): void {
  const parse = parser.parse.bind(parser);
  let isReadable = true;
  parser.parse = (bytes) => {
    if (!isReadable) return;
    try {
      parse(bytes);
      const line = parser.argBuf?.length ?? 0;
      const message = parser.ma?.size ?? 0;
      if (line > MAX_LINE_BYTES || message > MAX_MESSAGE_BYTES) throw new Error(UNEXPECTED_RESPONSE);
    } catch (cause) {
      isReadable = false;
      unreadable(new Error(UNEXPECTED_RESPONSE, { cause }));
    }
  };
}
