import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { loadCredsFile } from '../../src/creds/parse.js';
import { loadKeyBundle } from '../../src/nkeys/key-bundle.js';
import { atEnd } from './cleanup.js';

/** The server's messages to a test leafnode. */
export interface RawLeafnode {
  /** Whether the server admitted it. */
  isIn: boolean;
  /** The server's `-ERR` lines. */
  errors: string[];
  /** Resolves when the server has closed the connection. */
  closed: Promise<unknown>;
  publish(subject: string, data: string): void;
}

/**
 * A leafnode that is not nats-server: it speaks the minimum of the protocol by hand to be admitted, and performs none
 * of a server's checks on its side.
 */
export async function connectLeafnode(port: number, credsPath: string): Promise<RawLeafnode> {
  const creds = await loadCredsFile(credsPath);
  const socket = net.connect(port, '127.0.0.1');
  atEnd(() => Promise.resolve(socket.destroy()));
  const errors: string[] = [];
  const closed = once(socket, 'close');
  socket.on('error', () => undefined);
  const lines = new Lines(socket);
  lines.on((line) => {
    if (line.startsWith('-ERR')) errors.push(line);
    if (line === 'PING') socket.write('PONG\r\n');
  });
  const info = await lines.first((line) => line.startsWith('INFO '));
  const { nonce } = JSON.parse(info?.slice(5) ?? '{}') as { nonce: string };
  const seed = creds.seed;
  const key = loadKeyBundle('user', seed);
  const sig = Buffer.from(key.sign(Buffer.from(nonce))).toString('base64url');
  key.wipe();
  const fields = { jwt: creds.jwt, sig, name: 'by-hand', server_id: `N${'A'.repeat(55)}`, version: '2.15.1' };
  socket.write(`CONNECT ${JSON.stringify({ ...fields, headers: true, protocol: 1 })}\r\nPING\r\n`);
  const answer = await Promise.race([lines.first((line) => line === 'PONG'), closed.then(() => undefined)]);
  return {
    isIn: answer !== undefined && errors.length === 0,
    errors,
    closed,
    publish: (subject, data) => socket.write(`LMSG ${subject} ${Buffer.byteLength(data)}\r\n${data}\r\n`),
  };
}

/** Splits the input of a socket into lines. */
class Lines {
  readonly #listeners: ((line: string) => void)[] = [];
  #rest = '';

  constructor(socket: Socket) {
    socket.on('data', (data) => {
      const lines = (this.#rest + data.toString('latin1')).split('\r\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) for (const listener of this.#listeners) listener(line);
    });
  }

  on(listener: (line: string) => void): void {
    this.#listeners.push(listener);
  }

  first(is: (line: string) => boolean): Promise<string | undefined> {
    return new Promise((resolve) => this.on((line) => is(line) && resolve(line)));
  }
}
