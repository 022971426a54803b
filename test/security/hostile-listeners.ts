// Listeners in place of a server: each accepts connections, and none is a usable server.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { readFile } from 'node:fs/promises';
import { createTlsFiles } from '../support/certificates.js';
import { atEnd } from '../support/cleanup.js';

/** A listener, and the expected error. */
export interface HostileListener {
  /** Handles a connection. */
  talk: (socket: Socket, port: number) => void;
  /** The expected error message. */
  words: RegExp;
  /** The expected error code; "unreachable" by default. */
  code?: string;
  /** It is detected only by the timeout of an attempt. */
  slow?: true;
  /** It speaks TLS from the first byte on. */
  tls?: true;
  /** It sends only complete lines and messages, so that only the timeout bounds the input. */
  whole?: true;
}

const INFO = {
  server_id: 'NABC',
  server_name: 'n',
  version: '2.11.0',
  go: 'go1.24',
  host: '127.0.0.1',
  port: 4222,
  headers: true,
  auth_required: true,
  max_payload: 1024 * 1024,
  proto: 1,
  client_id: 7,
  client_ip: '127.0.0.1',
  nonce: 'AAAAAAAAAAAAAAAAAAAAAA',
};

/** The INFO line of a server, with some values replaced. */
export function infoLine(changes: object = {}): string {
  return `INFO ${JSON.stringify({ ...INFO, ...changes })}\r\n`;
}

/** Calls `answer` with the client's input so far, each time that input arrives. */
function onInput(socket: Socket, answer: (text: string) => void): void {
  socket.on('data', (data) => answer(data.toString('latin1')));
}

/** Writes as long and as fast as the client reads. */
function pour(socket: Socket, chunk: Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

const NO_NATS = /does not speak NATS/;
const NO_ANSWER = /no answer within/;
const BELL = '\u0007\u001b[31mred\u001b[0m\u202e';

/** The input at the close. */
const CLOSED = /the server closed the connection/;

/** The listeners by behavior. */
export const HOSTILE: Readonly<Record<string, HostileListener>> = {
  'says nothing': { talk: () => undefined, words: NO_ANSWER, slow: true },
  'closes at once': { talk: (socket) => socket.destroy(), words: CLOSED },
  'resets at once': { talk: (socket) => socket.resetAndDestroy(), words: /closed the connection|ECONNRESET/ },
  'speaks HTTP': {
    talk: (socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
    words: NO_NATS,
  },
  'speaks SSH': { talk: (socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n'), words: NO_NATS },
  'says garbage': {
    talk: (socket) =>
      socket.write(
        Buffer.concat([Buffer.from([0xff, 0x00, 0x1b, 0x5b]), Buffer.alloc(999, 0xc3), Buffer.from('\r\n')]),
      ),
    words: NO_NATS,
  },
  'says garbage without a line end': {
    talk: (socket) => pour(socket, Buffer.alloc(64 * 1024, 0xc3)),
    words: NO_NATS,
  },
  'has an INFO without an end': {
    talk: (socket) => {
      socket.write('INFO {"x":"');
      pour(socket, Buffer.alloc(64 * 1024, 0x61));
    },
    words: NO_NATS,
  },
  'drips its INFO': {
    talk: (socket) => {
      const text = infoLine({ cluster: 'x'.repeat(9_999) });
      let at = 0;
      const timer = setInterval(() => socket.write(text[at++] ?? ''), 100);
      socket.on('close', () => clearInterval(timer));
    },
    words: NO_ANSWER,
    slow: true,
  },
  'has an INFO that is null': { talk: (socket) => socket.write('INFO null\r\n'), words: NO_NATS },
  'has an INFO that is a list': { talk: (socket) => socket.write('INFO [1]\r\n'), words: NO_NATS },
  'has an INFO that is no JSON': { talk: (socket) => socket.write(`INFO {${BELL}}\r\n`), words: NO_NATS },
  'has an INFO of other types': {
    talk: (socket) =>
      socket.write(
        infoLine({
          version: 7,
          max_payload: 'much',
          nonce: { a: 1 },
          headers: 'no',
          server_id: [],
          connect_urls: 5,
        }),
      ),
    words: NO_NATS,
  },
  'has a version that is none': {
    talk: (socket) => socket.write(infoLine({ version: BELL })),
    words: NO_NATS,
  },
  'announces what is no address': {
    talk: (socket) => socket.write(infoLine({ connect_urls: ['http://[', BELL, ':::', ''] })),
    words: NO_NATS,
  },
  'announces ever other servers': {
    talk: (socket, port) => {
      const host = () => Math.floor(Math.random() * 250) + 2;
      const connect_urls = Array.from({ length: 8 }, () => `127.${host()}.${host()}.${host()}:${port}`);
      socket.end(infoLine({ connect_urls }));
    },
    words: CLOSED,
  },
  'never answers the ping': { talk: (socket) => socket.write(infoLine()), words: NO_ANSWER, slow: true },
  'answers CONNECT with garbage': {
    talk: (socket) => {
      socket.write(infoLine());
      onInput(socket, () => socket.write(`\u0000${BELL}\r\n`));
    },
    words: NO_NATS,
  },
  'is full': {
    talk: (socket) => {
      socket.write(infoLine());
      socket.end(`-ERR 'maximum connections exceeded'\r\n`);
    },
    words: /maximum connections exceeded/,
  },
  'refuses with hostile words': {
    talk: (socket) => {
      socket.write(infoLine());
      onInput(socket, () => socket.end(`-ERR '${BELL} go away'\r\n`));
    },
    words: /go away/,
  },
  'refuses the credentials': {
    talk: (socket) => {
      socket.write(infoLine());
      onInput(socket, () => socket.end(`-ERR 'Authorization Violation'\r\n`));
    },
    words: /Authorization Violation/,
    code: 'ERR_CONNECT_REFUSED',
  },
  'has a refusal without an end': {
    talk: (socket) => {
      socket.write(infoLine());
      socket.write(`-ERR '`);
      pour(socket, Buffer.alloc(64 * 1024, 0x61));
    },
    // the client reads it byte by byte
    words: /does not speak NATS|no answer within/,
  },
  'sends messages that nobody asked for': {
    talk: (socket) => {
      socket.write(infoLine());
      pour(socket, Buffer.from('MSG a 1 5\r\nhello\r\n'.repeat(3_000)));
    },
    words: NO_ANSWER,
    slow: true,
    whole: true,
  },
  'sends a message without an end': {
    talk: (socket) => {
      socket.write(infoLine());
      socket.write('MSG a 1 99999999999\r\n');
      pour(socket, Buffer.alloc(64 * 1024, 0x61));
    },
    words: NO_NATS,
  },
  'wants TLS and then says nothing': {
    talk: (socket) => socket.write(infoLine({ tls_required: true })),
    words: NO_ANSWER,
    slow: true,
  },
  'wants TLS and then speaks none': {
    talk: (socket) => {
      socket.write(infoLine({ tls_required: true }));
      onInput(socket, () => socket.write(`PONG\r\n${BELL}\r\n`));
    },
    words: /announces TLS, but does not speak it/,
    code: 'ERR_CONNECT_CERTIFICATE',
  },
  'speaks TLS from the first byte on': { talk: () => undefined, tls: true, words: NO_ANSWER, slow: true },
};

/** Accepts any client and answers only pings, so that every request runs into its timeout. */
export const MUTE: HostileListener = {
  talk: (socket) => {
    socket.write(infoLine());
    onInput(socket, (text) => socket.write('PONG\r\n'.repeat(text.split('PING\r\n').length - 1)));
  },
  words: /no (?:master|server) answered within|does not answer: try again/,
};

/** Characters that a terminal interprets or hides. */
export const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** A running listener. */
export interface RunningListener {
  url: string;
  port: number;
  /** The number of accepted connections. */
  connections: () => number;
  /** The number of bytes sent. */
  sent: () => number;
}

/** Starts one; it is stopped after the last test of the file. */
export async function startListener({ talk, tls }: HostileListener): Promise<RunningListener> {
  const all: Socket[] = [];
  const take = (socket: Socket) => {
    all.push(socket);
    socket.on('error', () => undefined);
    talk(socket, (server.address() as AddressInfo).port);
  };
  const server = tls === true ? createTlsServer(await certificate(), take) : createServer(take);
  // all of 127.0.0.0/8, which it may announce
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  atEnd(async () => {
    for (const socket of all) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    connections: () => all.length,
    sent: () => all.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
  };
}

async function certificate(): Promise<{ cert: Buffer; key: Buffer }> {
  const files = await createTlsFiles();
  return { cert: await readFile(files.cert), key: await readFile(files.key) };
}
