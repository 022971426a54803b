// Bounds the data that is read from a server.
import type { ProtocolHandler } from '@nats-io/nats-core/internal';
import type { Socket } from 'node:net';
import { UNEXPECTED_RESPONSE } from './connect-failure.js';
import { MAX_LINE_BYTES, readServerInfo } from './server-info.js';

/** The largest message that a server can be configured to accept, in bytes (nats-server, `MAX_PAYLOAD_MAX_SIZE`). */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const INFO = Buffer.from('INFO ');
const LINE_END = Buffer.from('\r\n');

/** The part of the client's transport that {@link peekInfo} uses. */
export interface PeekedTransport {
  socket: Socket;
  /** Data that was read but not parsed yet. */
  yields: Uint8Array[];
}

/**
 * Reads the first line of a server, which must be INFO. Replaces the client's own reader, which has no size limit and
 * concatenates all data again for each chunk.
 *
 * @throws Error with the client's own message for a peer that is not a server, as early as possible; the socket's
 *   errors
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
      reject(failure as Error); // if undefined, the client reports that the connection was closed
    });
  });
}

/** The JSON of the leading INFO line; undefined if it is incomplete. @throws Error if it is not an INFO line */
function infoIn(start: Buffer): string | undefined {
  const end = start.indexOf(LINE_END);
  const begins = start.subarray(0, INFO.length);
  const isInfo = INFO.subarray(0, begins.length).equals(begins);
  if (!isInfo || (end < 0 && start.length > MAX_LINE_BYTES)) throw new Error(UNEXPECTED_RESPONSE);
  return end < 0 ? undefined : start.subarray(INFO.length, end).toString();
}

/**
 * Makes a client parser call `unreadable` for invalid or oversized data instead of throwing. Otherwise the client would
 * print the error to standard output and stop reading from the connection.
 *
 * @param on called after each read, with its size
 */
export function boundParser(
  parser: ProtocolHandler['parser'],
  { unreadable, parsed }: { unreadable: (error: Error) => void; parsed: (bytes: number) => void },
): void {
  const parse = parser.parse.bind(parser);
  let isReadable = true;
  parser.parse = (bytes) => {
    if (!isReadable) return;
    try {
      parse(bytes);
      parsed(bytes.length);
      const line = parser.argBuf?.length ?? 0;
      const message = parser.ma?.size ?? 0;
      if (line > MAX_LINE_BYTES || message > MAX_MESSAGE_BYTES) throw new Error(UNEXPECTED_RESPONSE);
    } catch (cause) {
      isReadable = false;
      unreadable(new Error(UNEXPECTED_RESPONSE, { cause }));
    }
  };
}
