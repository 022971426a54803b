import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { loadCredsFile } from '../../src/creds/parse.js';
import { loadKeyBundle } from '../../src/nkeys/key-bundle.js';
import { atEnd } from './cleanup.js';

/** A client that speaks the protocol by hand, so that it may connect as one user after another. */
export interface RawClient {
  /** The connection's number on its server. */
  cid: number;
  /** The server's lines that are errors. */
  errors: string[];
  /** Sends a CONNECT with these credentials. Resolves once the server has processed it, or has closed the connection. */
  connectAs(credsPath: string): Promise<void>;
  send(line: string): void;
  /** Resolves when the server has closed the connection. */
  closed: Promise<unknown>;
}

/** Opens a connection, and sends no CONNECT yet. */
export async function rawClient(port: number): Promise<RawClient> {
  const socket = net.connect(port, '127.0.0.1');
  atEnd(() => Promise.resolve(socket.destroy()));
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  const errors: string[] = [];
  const lines = createInterface({ input: socket });
  const pongs: (() => void)[] = [];
  const info = new Promise<{ nonce: string; client_id: number }>((resolve) => {
    lines.on('line', (line) => {
      if (line.startsWith('INFO '))
        resolve(JSON.parse(line.slice(5)) as { nonce: string; client_id: number });
      if (line.startsWith('-ERR')) errors.push(line);
      if (line === 'PING') socket.write('PONG\r\n');
      if (line === 'PONG') pongs.shift()?.();
    });
  });
  const { nonce, client_id: cid } = await info;
  return {
    cid,
    errors,
    closed,
    send: (line) => void socket.write(`${line}\r\n`),
    connectAs: async (path) => {
      const { jwt, seed } = await loadCredsFile(path);
      const key = loadKeyBundle('user', seed);
      const sig = Buffer.from(key.sign(Buffer.from(nonce))).toString('base64url');
      key.wipe();
      const answered = new Promise<void>((resolve) => pongs.push(resolve));
      socket.write(`CONNECT ${JSON.stringify({ jwt, sig, protocol: 1, lang: 'by-hand' })}\r\nPING\r\n`);
      await Promise.race([answered, closed]);
    },
  };
}
