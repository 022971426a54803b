// Attacks a server for some seconds over bare sockets, and prints what it did as JSON. Arguments: what, URL, .creds file, subject,
// how many a second, seconds. `logins`: connects again and again; `slow`: sends requests, and never reads an answer.
import { credsAuthenticator } from '@nats-io/transport-node';
import { readFileSync } from 'node:fs';
import net from 'node:net';

const [what, url, credsPath, subject, rate, seconds] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const sign = credsAuthenticator(readFileSync(credsPath));
// a signature takes this client 12 ms: an attacker who will be refused makes one, and no more
const forged = sign('nonce');
const signed = (nonce) => (what === 'logins' ? forged : sign(nonce));
const end = Date.now() + Number(seconds) * 1000;
const done = { attempts: 0, refused: 0, sent: 0 };

/** Connects as the holder of the credentials. @param entered called when the server has answered */
function enter(entered) {
  const socket = net.connect(Number(port), hostname);
  let text = '';
  let isIn = false;
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    text = (text + data.toString('latin1')).slice(-8192);
    const info = /INFO (\{.*\})\s*\r\n/.exec(text)?.[1];
    // a server may send another one later
    if (info !== undefined && !isIn) {
      isIn = true;
      text = '';
      const { jwt, sig, nkey } = signed(JSON.parse(info).nonce);
      const said = {
        jwt,
        sig,
        nkey,
        verbose: false,
        protocol: 1,
        lang: 'x',
        version: '1',
        headers: true,
        no_responders: true,
      };
      socket.write(`CONNECT ${JSON.stringify(said)}\r\nPING\r\n`);
    } else if (/PONG|-ERR/.test(text)) {
      entered(socket, text);
      text = '';
    }
  });
  return socket;
}

function login() {
  done.attempts += 1;
  const socket = enter((_socket, text) => {
    if (text.includes('-ERR')) done.refused += 1;
    socket.destroy();
  });
  setTimeout(() => socket.destroy(), 5_000).unref();
}

function slow() {
  enter((socket) => {
    const inbox = `_INBOX.${subject.split('.')[2]}`;
    socket.write(`SUB ${inbox}.> 1\r\n`);
    socket.pause();
    const one = `PUB ${subject} ${inbox}.x 2\r\n{}\r\n`;
    const timer = setInterval(() => {
      if (socket.destroyed || Date.now() > end) return clearInterval(timer);
      socket.write(one.repeat(Number(rate) / 20));
      done.sent += Number(rate) / 20;
    }, 50);
  });
}

if (what === 'slow') for (let i = 0; i < 8; i += 1) slow();
const started = Date.now();
const timer = setInterval(() => {
  if (Date.now() > end) {
    clearInterval(timer);
    process.stdout.write(JSON.stringify(done), () => process.exit(0));
    return;
  }
  if (what !== 'logins') return;
  const due = ((Date.now() - started) / 1000) * Number(rate);
  while (done.attempts < due) login();
}, 5);
