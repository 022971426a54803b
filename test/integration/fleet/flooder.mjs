// Floods a subject until its standard input ends, for some seconds at most, as fast as the server takes it, over a bare socket:
// no client slows it down. What is cut connects again at once. Instead of a size: a file of protocol lines, sent again and again.
import { credsAuthenticator } from '@nats-io/transport-node';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';

const [url, credsPath, subject, size, seconds] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const sign = credsAuthenticator(readFileSync(credsPath));
const inbox = `_INBOX.${subject.split('.')[2]}.flood`;
const isFile = !/^\d+$/.test(size);
const payload = isFile ? Buffer.alloc(0) : Buffer.alloc(Number(size), 120);
const one = Buffer.concat([
  Buffer.from(`PUB ${subject} ${inbox} ${payload.length}\r\n`),
  payload,
  Buffer.from('\r\n'),
]);
const repeated = () => Buffer.concat(Array(Math.max(1, Math.floor((1024 * 1024) / one.length))).fill(one));
const batch = isFile ? readFileSync(size) : repeated();
const perBatch = isFile ? batch.toString('latin1').split('\r\nHPUB ').length : batch.length / one.length;
let end = Date.now() + Number(seconds) * 1000;
process.stdin.once('end', () => (end = 0)).resume();
let sent = 0;
let cut = 0;
let refused = 0;

/** One connection, until it ends. */
async function flood() {
  const socket = net.connect(Number(port), hostname);
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  let text = '';
  let isIn = false;
  const entered = new Promise((resolve) => {
    socket.on('data', (data) => {
      text = (text + data.toString('latin1')).slice(-8192);
      if (!isIn && !text.includes('CONNECTING') && /INFO (\{.*\})\s*\r\n/.test(text)) {
        const { nonce } = JSON.parse(/INFO (\{.*\})\s*\r\n/.exec(text)[1]);
        const { jwt, sig, nkey } = sign(nonce);
        text = 'CONNECTING';
        const said = {
          jwt,
          sig,
          nkey,
          verbose: false,
          protocol: 1,
          lang: 'x',
          version: '1',
          no_responders: true,
        };
        socket.write(`CONNECT ${JSON.stringify({ ...said, headers: true })}\r\nPING\r\n`);
      }
      if (text.includes('PONG\r\n')) {
        isIn = true;
        resolve(undefined);
      }
      if (isIn && text.includes('PING\r\n')) {
        text = '';
        socket.write('PONG\r\n');
      }
    });
  });
  await Promise.race([entered, ended]);
  if (!isIn) {
    refused += 1;
    socket.destroy();
    return;
  }
  while (Date.now() < end && !socket.destroyed) {
    sent += perBatch;
    if (!socket.write(batch)) await Promise.race([once(socket, 'drain').catch(() => undefined), ended]);
  }
  if (socket.destroyed) cut += 1;
  socket.destroy();
  await ended;
}

while (Date.now() < end) {
  const { refused: before } = { refused };
  await flood();
  if (refused > before) await new Promise((resolve) => setTimeout(resolve, 20));
}
process.stdout.write(JSON.stringify({ sent, cut, refused }));
process.exit(0);
