import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { connectPeel } from '../src/connection/connect.js';
import type { ConnectionEvent } from '../src/connection/events.js';
import { startBenchServer, type BenchServer } from './server.js';

const ROTATIONS = 20;
const PER_SECOND = 5_000;
const PAUSE_MS = 150;

interface Outcome {
  sent: number;
  lost: number;
  doubled: number;
  longestGapMs: number;
}

/**
 * Credentials replaced 20 times under 5,000 messages a second to a queue subscription: hitless, beside `connectPeel` with
 * a reconnect, beside the stock client whose `reconnect()` is called after each replacement.
 */
export async function rotate(): Promise<boolean> {
  const server = await startBenchServer();
  try {
    console.log(`rotate: ${ROTATIONS} rotations under ${PER_SECOND} messages a second`);
    const hitless = await run(server, (path) => zester(server, path, 'hitless'));
    print('zester, hitless', hitless);
    print('zester, reconnect', await run(server, (path) => zester(server, path, 'reconnect')));
    print('stock client, reconnect()', await run(server, (path) => stock(server, path)));
    const good = hitless.lost === 0 && hitless.doubled === 0;
    console.log(`  hitless: nothing lost, nothing doubled: ${good ? 'met' : 'NOT MET'}`);
    return good;
  } finally {
    await server.close();
  }
}

/** A connection, and how it goes over to what now stands in its file. */
interface Rotatable {
  nc: NatsConnection;
  rotated(): Promise<void>;
}

async function zester(
  server: BenchServer,
  credsPath: string,
  how: 'hitless' | 'reconnect',
): Promise<Rotatable> {
  let rotations = 0;
  let seen = 0;
  let wake: () => void = () => undefined;
  const nc = await connectPeel({
    servers: server.url,
    credsPath,
    peelId: 'web-01',
    rotate: how,
    onEvent: (event: ConnectionEvent) => {
      if (event.type !== 'rotated') return;
      rotations += 1;
      wake();
    },
  });
  return {
    nc,
    async rotated() {
      seen += 1;
      while (rotations < seen) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

async function stock(server: BenchServer, credsPath: string): Promise<Rotatable> {
  const nc = await connect({
    servers: server.url,
    authenticator: credsAuthenticator(() => readFileSync(credsPath)),
    maxReconnectAttempts: -1,
    // as `connectPeel` does for a rotation: the stock default would add two seconds to each gap
    reconnectTimeWait: 0,
    reconnectJitter: 0,
  });
  return {
    nc,
    async rotated() {
      const back = (async () => {
        for await (const status of nc.status()) if (status.type === 'reconnect') return;
      })();
      await nc.reconnect();
      await back;
    },
  };
}

async function run(server: BenchServer, open: (credsPath: string) => Promise<Rotatable>): Promise<Outcome> {
  const credsPath = await server.user('web-01');
  const { nc, rotated } = await open(credsPath);
  const publisher = await connect({
    servers: server.url,
    authenticator: credsAuthenticator(readFileSync(await server.user('publisher'))),
  });
  const counts = new Map<number, number>();
  let last = performance.now();
  let longestGapMs = 0;
  nc.subscribe('load', {
    queue: 'workers',
    callback: (_error, msg) => {
      const now = performance.now();
      longestGapMs = Math.max(longestGapMs, now - last);
      last = now;
      const n = Number(msg.string());
      counts.set(n, (counts.get(n) ?? 0) + 1);
    },
  });
  await nc.flush();
  let sent = 0;
  const start = performance.now();
  last = start;
  const timer = setInterval(() => {
    const due = ((performance.now() - start) / 1_000) * PER_SECOND;
    while (sent < due) publisher.publish('load', String(sent++));
  }, 1);
  for (let i = 0; i < ROTATIONS; i++) {
    await delay(PAUSE_MS);
    await server.user('web-01', credsPath);
    await rotated();
  }
  await delay(PAUSE_MS);
  clearInterval(timer);
  await publisher.flush();
  await nc.flush();
  await delay(500);
  await Promise.all([nc.close(), publisher.close()]);
  const doubled = [...counts.values()].filter((count) => count > 1).length;
  return { sent, lost: sent - counts.size, doubled, longestGapMs };
}

function print(name: string, { sent, lost, doubled, longestGapMs }: Outcome): void {
  console.log(
    `  ${name.padEnd(27)} sent ${sent}   lost ${lost}   doubled ${doubled}   longest gap ${longestGapMs.toFixed(1)} ms`,
  );
}
