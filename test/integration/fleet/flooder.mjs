// Floods a subject for some seconds, as fast as the connection takes it, and connects again when it is cut.
import { connect, credsAuthenticator } from '@nats-io/transport-node';
import { readFileSync } from 'node:fs';

const [url, credsPath, subject, size, seconds] = process.argv.slice(2);
const nc = await connect({
  servers: url,
  authenticator: credsAuthenticator(readFileSync(credsPath)),
  inboxPrefix: `_INBOX.${subject.split('.')[2]}`,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 50,
  reconnectJitter: 0,
});
let cut = 0;
void (async () => {
  for await (const { type } of nc.status()) if (type === 'disconnect') cut += 1;
})();
const payload = new Uint8Array(Number(size)).fill(120);
const batch = Math.max(8, Math.min(2_000, Math.floor((2 * 1024 * 1024) / payload.length)));
const end = Date.now() + Number(seconds) * 1000;
let sent = 0;
while (Date.now() < end && !nc.isClosed()) {
  try {
    for (let i = 0; i < batch; i += 1) nc.publish(subject, payload);
    sent += batch;
    await Promise.race([nc.flush(), new Promise((resolve) => setTimeout(resolve, 500))]);
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
process.stdout.write(JSON.stringify({ sent, cut, closed: nc.isClosed() }));
process.exit(0);
