// A peel with its own handler: it joins once, then answers commands, publishes events, and renews its credential.
// node fleet-agent.js web-01 join.creds nats://127.0.0.1:4222
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { joinFleet, startPeel } from 'zester/peel';

const [peelId = 'web-01', token = 'join.creds', servers = 'nats://127.0.0.1:4222'] = process.argv.slice(2);
const credsPath = `${peelId}.creds`;

// First run: make the key here, and join. With the policy "manual", this waits for "zester peel accept".
if (!existsSync(credsPath)) {
  await joinFleet({ servers, token, peelId, out: credsPath, onEvent: (event) => console.log(event) });
}

const peel = await startPeel({
  servers,
  credsPath,
  logger: { info: (fields, message) => console.log(message, fields), warn: console.warn },
  handlers: {
    // zester peel exec web-01 disk.free /var
    'disk.free': async ([path = '/']) => {
      const { bsize, bavail, blocks } = await statfs(path);
      return { path, freeBytes: bsize * bavail, freeShare: bavail / blocks };
    },
  },
});
setInterval(() => peel.publish('alive', { uptime: process.uptime() }), 10_000).unref();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void peel.drain());
const { reason, error } = await peel.closed;
if (reason !== 'drained') throw error ?? new Error(reason); // a master has rejected or revoked it
