import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { readFileSync } from 'node:fs';
import { connectPeel } from '../src/connection/connect.js';
import { printBars } from './report.js';
import { startBenchServer } from './server.js';

const PEELS = 500;
/** At once: with more, the stock client is so long at its signatures that the server gives up on it (2 s). */
const AT_ONCE = 10;
const ROUNDS = 3;

/** 500 peels connect from one process: `connectPeel`, against the client's own `credsAuthenticator`. */
export async function connectBench(): Promise<boolean> {
  const server = await startBenchServer();
  try {
    const paths = await Promise.all(Array.from({ length: PEELS }, (_, i) => server.user(`web-${i}`)));
    const ways: Record<string, (i: number) => Promise<NatsConnection>> = {
      'zester connectPeel': (i) =>
        connectPeel({ servers: server.url, credsPath: paths[i] ?? '', peelId: `web-${i}` }),
      'stock credsAuthenticator': (i) =>
        connect({ servers: server.url, authenticator: credsAuthenticator(readFileSync(paths[i] ?? '')) }),
    };
    const results = new Map<string, { wall: number; cpu: number }[]>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, open] of Object.entries(ways)) {
        results.set(name, [...(results.get(name) ?? []), await connectAll(open)]);
      }
    }
    console.log(
      `connect: ${PEELS} peels from one process, ${AT_ONCE} at once (best of ${ROUNDS} rounds, in turn)`,
    );
    const best = new Map<string, number>();
    for (const [name, rounds] of results) {
      const { wall, cpu } = rounds.reduce((a, b) => (a.wall <= b.wall ? a : b));
      best.set(name, wall);
      console.log(
        `  ${name.padEnd(25)} ${wall.toFixed(0).padStart(6)} ms   CPU a connect: ${(cpu / PEELS).toFixed(2)} ms`,
      );
    }
    return printBars([
      {
        what: 'faster than the stock credsAuthenticator, wall time',
        ratio: (best.get('stock credsAuthenticator') ?? NaN) / (best.get('zester connectPeel') ?? NaN),
        bound: 8,
        kind: 'at least',
      },
    ]);
  } finally {
    await server.close();
  }
}

/** @returns wall time and CPU time of this process, in milliseconds */
async function connectAll(
  open: (i: number) => Promise<NatsConnection>,
): Promise<{ wall: number; cpu: number }> {
  const connections: NatsConnection[] = [];
  const cpuStart = process.cpuUsage();
  const start = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < PEELS) connections.push(await open(next++));
    }),
  );
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuStart);
  await Promise.all(connections.map((nc) => nc.close()));
  return { wall, cpu: (user + system) / 1_000 };
}
