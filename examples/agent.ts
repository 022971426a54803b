// An agent that stays connected while its credentials are replaced, expire or become invalid, and while its server restarts.
// node agent.js web-server-01 /etc/zester/web-server-01.creds nats://127.0.0.1:4222
import { answerCommand, connectPeel } from 'zester';

const [peelId = 'web-server-01', credsPath = `${peelId}.creds`, servers = 'nats://127.0.0.1:4222'] =
  process.argv.slice(2);

const nc = await connectPeel({
  servers,
  credsPath,
  peelId,
  rotate: 'hitless',
  logger: { info: (fields, message) => console.log(message, fields), warn: console.warn },
});
console.log(`${peelId} is connected to ${nc.getServer()}`);

// Answer commands. The peel is alone in its queue group, so that a rotation neither loses nor duplicates a command.
nc.subscribe(`zester.cmd.${peelId}.uptime`, {
  queue: peelId,
  callback: (_error, msg) => void answerCommand(msg, peelId, JSON.stringify({ uptime: process.uptime() })),
});

// Publish events. During an outage, up to 8 MiB are buffered, and sent first after the reconnect.
setInterval(() => nc.publish(`zester.event.${peelId}.alive`, new Date().toISOString()), 10_000).unref();

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void nc.drain());
const error = await nc.closed();
if (error instanceof Error) console.error(`closed: ${error.message}`);
