import net from 'node:net';
import { createInterface } from 'node:readline';
import { loadCredsFile } from '../../src/creds/parse.js';
import { loadKeyBundle } from '../../src/nkeys/key-bundle.js';
import { atEnd } from './cleanup.js';

/** A client that speaks the protocol by hand. */
export interface RawClient {
  /** The server's `-ERR` lines. */
  errors: string[];
  /** Resolves when the server has closed the connection. */
  closed: Promise<unknown>;
  /**
   * Sends a CONNECT with these credentials; it may be called again, for another user.
   *
   * @param fields more fields of the CONNECT
   * @returns whether the server answered before it closed the connection
   */
  connectAs(credsPath: string, fields?: object): Promise<boolean>;
}

const ignore = () => undefined;

/** Opens a connection without sending a CONNECT. */
export async function rawClient(port: number): Promise<RawClient> {
  const socket = net.connect(port, '127.0.0.1');
  atEnd(() => Promise.resolve(socket.destroy()));
  socket.on('error', ignore);
  // not events.once: it rejects when the server resets the connection
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const errors: string[] = [];
  const pongs: (() => void)[] = [];
  const send = (line: string) => void socket.write(`${line}\r\n`);
  // it passes on the socket's errors
  const lines = createInterface({ input: socket }).on('error', ignore);
  const info = new Promise<string>((resolve) => {
    lines.on('line', (line) => {
      if (line.startsWith('INFO ')) resolve(line.slice(5));
      if (line.startsWith('-ERR')) errors.push(line);
      if (line === 'PING') send('PONG');
      if (line === 'PONG') pongs.shift()?.();
    });
  });
  const { nonce } = JSON.parse(await info) as { nonce: string };
  const connectAs = async (path: string, fields: object = {}) => {
    const { jwt, seed } = await loadCredsFile(path);
    const key = loadKeyBundle('user', seed);
    const sig = Buffer.from(key.sign(Buffer.from(nonce))).toString('base64url');
    key.wipe();
    const answered = new Promise<boolean>((resolve) => pongs.push(() => resolve(true)));
    send(`CONNECT ${JSON.stringify({ jwt, sig, protocol: 1, name: 'by-hand', ...fields })}`);
    send('PING');
    return Promise.race([answered, closed.then(() => false)]);
  };
  return { errors, closed, connectAs };
}
