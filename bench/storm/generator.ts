// A process that keeps thousands of peels connected, over plain sockets: CONNECT with the real JWT and the signed nonce.
import { sign, type KeyObject } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import { Issuer } from '../../src/master/trust/issuer.js';
import { importSeed } from '../../src/nkeys/ed25519.js';
import { decodeSeed } from '../../src/nkeys/encoding.js';
import { generateKeyBundle, loadKeyBundle } from '../../src/nkeys/key-bundle.js';
import type { FromGenerator, MadePeel, ToGenerator } from './messages.js';

/** Dials under way at once: so few that the server answers each before its authorization timeout. */
const AT_ONCE = 128;
/** Before a server that is down is dialled again. */
const REDIAL_MS = 20;
const STATE_INTERVAL_MS = 100;
const LIFETIME_SECONDS = 86_400;
const MADE_AT_ONCE = 1_000;

interface Peel {
  jwt: string;
  peelId: string;
  privateKey: KeyObject;
  socket?: Socket | undefined;
  isAccepted: boolean;
  isGone: boolean;
}

const peels: Peel[] = [];
const waiting: Peel[] = [];
const refusals: Record<string, number> = {};
let target: { port: number; host: string } | undefined;
let dialling = 0;
/** The server refuses connections: one dial at a time checks whether it is back. */
let isDown = false;
let accepted = 0;
let attempts = 0;
let lastAt = 0;

function post(message: FromGenerator): void {
  // the bench may have ended: then this program ends, too
  process.send?.(message, undefined, undefined, (error) => {
    if (error !== null) process.exit();
  });
}

function postState(): void {
  const { user, system } = process.cpuUsage();
  const wanted = peels.filter(({ isGone }) => !isGone).length;
  post({ is: 'state', accepted, wanted, lastAt, attempts, refusals, cpu: (user + system) / 1e6 });
}

function prepare({ from, count, account, seed }: Extract<ToGenerator, { do: 'prepare' }>): void {
  const issuer = new Issuer({ account, peelSigner: loadKeyBundle('account', seed), joinSigner: undefined });
  let made: MadePeel[] = [];
  for (let i = from; i < from + count; i++) {
    const user = generateKeyBundle('user');
    const key = issuer.facts(user.publicKey, Date.now(), LIFETIME_SECONDS);
    const peelId = `storm-${i}`;
    const privateKey = importSeed('Ed25519', decodeSeed(user.seed).raw);
    peels.push({ peelId, jwt: issuer.peelJwt(peelId, key), privateKey, isAccepted: false, isGone: false });
    made.push({ peelId, key });
    if (made.length < MADE_AT_ONCE) continue;
    post({ is: 'made', peels: made, done: false });
    made = [];
  }
  issuer.wipe();
  post({ is: 'made', peels: made, done: true });
}

function dialMore(): void {
  while (target !== undefined && dialling < (isDown ? 1 : AT_ONCE)) {
    const peel = waiting.pop();
    if (peel === undefined) return;
    dial(peel, target);
  }
}

function dial(peel: Peel, { port, host }: { port: number; host: string }): void {
  dialling += 1;
  let isDialling = true;
  let wasUp = false;
  const over = () => {
    if (isDialling) dialling -= 1;
    isDialling = false;
  };
  const socket = createConnection({ port, host, noDelay: true });
  peel.socket = socket;
  let rest = '';
  socket.setEncoding('latin1');
  socket.on('connect', () => {
    wasUp = true;
    if (!isDown) return;
    isDown = false;
    dialMore();
  });
  socket.on('data', (data: string) => {
    const lines = (rest + data).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'PING') socket.write('PONG\r\n');
      else if (line === 'PONG') {
        over();
        if (peel.isAccepted) continue;
        peel.isAccepted = true;
        accepted += 1;
        lastAt = Date.now();
        dialMore();
      } else if (line.startsWith('INFO ') && isDialling) greet(peel, socket, line);
      else if (line.startsWith('-ERR')) refusals[line] = (refusals[line] ?? 0) + 1;
    }
  });
  socket.on('error', () => undefined); // and 'close' follows
  socket.on('close', () => {
    over();
    if (peel.isAccepted) accepted -= 1;
    peel.isAccepted = false;
    if (target !== undefined && !peel.isGone) waiting.push(peel);
    if (wasUp) return dialMore();
    isDown = true;
    setTimeout(dialMore, REDIAL_MS);
  });
}

function greet(peel: Peel, socket: Socket, info: string): void {
  const nonce = /"nonce":"([^"]+)"/.exec(info)?.[1];
  if (nonce === undefined) return void socket.destroy();
  attempts += 1;
  const sig = sign(null, Buffer.from(nonce), peel.privateKey).toString('base64url');
  const connect = {
    ...{ verbose: false, pedantic: false, protocol: 1, lang: 'storm', version: '1', headers: true },
    ...{ no_responders: true, name: `zester-peel-${peel.peelId}`, jwt: peel.jwt, sig },
  };
  socket.write(`CONNECT ${JSON.stringify(connect)}\r\nPING\r\n`);
}

function change(gone: number, moved: number): void {
  for (const peel of peels.slice(0, gone)) {
    peel.isGone = true;
    peel.socket?.destroy();
  }
  for (const peel of peels.slice(gone, gone + moved)) peel.socket?.destroy();
}

process.on('message', (message: ToGenerator) => {
  switch (message.do) {
    case 'prepare':
      return prepare(message);
    case 'connect':
      target = message;
      for (const peel of peels) peel.isGone = false;
      waiting.push(...peels.filter(({ socket }) => socket === undefined || socket.destroyed));
      return dialMore();
    case 'change':
      return change(message.gone, message.moved);
    case 'close':
      target = undefined;
      waiting.length = 0;
      for (const { socket } of peels) socket?.destroy();
  }
});
// Ctrl-C is for the process that started this one, which then disconnects
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
setInterval(postState, STATE_INTERVAL_MS);
