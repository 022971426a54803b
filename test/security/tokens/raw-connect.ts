// Whether a server admits a token: a CONNECT by hand, so that no client checks the token first.
import { createConnection } from 'node:net';

/** The signer of a server's nonce, or of a token. */
export interface NonceSigner {
  sign(text: string): Uint8Array;
}

/** The timeout for a server's answer: for an unknown account, it takes two seconds. */
const LIMIT_MS = 20_000;

/**
 * Whether a server admits a client with this token, and keeps it connected.
 *
 * @param lingerMs time to stay connected before checking again: a token that expires at once is cut by then
 */
export function admits(port: number, token: string, by: NonceSigner, lingerMs = 5): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    let text = '';
    let pongs = 0;
    let connected = false;
    const timer = setTimeout(() => finish(new Error(`no answer from the server: ${text}`)), LIMIT_MS);
    const finish = (result: boolean | Error) => {
      clearTimeout(timer);
      socket.destroy();
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    socket.setEncoding('latin1');
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    const connect = (info: string) => {
      connected = true;
      const nonce = /"nonce":"([^"]+)"/.exec(info)?.[1] ?? '';
      const sig = Buffer.from(by.sign(nonce)).toString('base64url');
      const options = { jwt: token, sig, verbose: false, pedantic: false, lang: 'test', version: '1' };
      socket.write(`CONNECT ${JSON.stringify(options)}\r\nPING\r\n`);
    };
    socket.on('data', (data: string) => {
      text += data;
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        if (line.startsWith('INFO') && !connected) connect(line);
        else if (line.startsWith('-ERR')) finish(false);
        else if (line === 'PONG' && ++pongs === 2) finish(true);
        else if (line === 'PONG') setTimeout(() => socket.write('PING\r\n'), lingerMs);
      }
    });
  });
}
